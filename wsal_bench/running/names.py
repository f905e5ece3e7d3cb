"""What a run is called, and which runs a name means.

`[DATASET/]METHOD[:VARIANT][@SEED]`, as tables print it: SEED is the training seed, of data that are
drawn from a seed `DATA_SEED.SEED`. Each part may be a pattern (`*`, `?`, `[01]`). Instead of the
method may stand the beginning of a run's hash, which tells runs apart that differ in options alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from wsal_bench.errors import UsageError
from wsal_bench.running.cells import RunSpec

_PATTERN = re.compile(r"[*?\[]")
_SEED = re.compile(r"[\d*?\[\]!-]+")
_SHORTEST_HASH = 4
_REFERENCES = ("floor:", "ceiling:")


def run_name(spec: RunSpec) -> str:
    """`simulated/ftcl:full@2.0`: drawn from data seed 2, training seed 0; `hapt/mil@0`."""
    seed = f"{spec.data.seed}.{spec.seed}" if spec.data.seeded else f"{spec.seed}"
    return f"{spec.data.name}/{spec.name}@{seed}"


def is_pattern(text: str) -> bool:
    """Whether a name may mean several runs by intent."""
    return bool(_PATTERN.search(text))


def fits_method(spec: RunSpec, pattern: str) -> bool:
    """Whether a method's name or pattern means this run's; without a variant it means all.

    A pattern leaves reference rows (`floor:random`) out unless it begins like one.
    """
    if spec.method.startswith(_REFERENCES) and is_pattern(pattern):
        kind = spec.method.partition(":")[0]
        if not pattern.startswith((f"{kind}:", f"{kind}*")):
            return False
    names = (spec.name,) if ":" in pattern else (spec.name, spec.method)
    return any(fnmatchcase(name, pattern) for name in names)


@dataclass(frozen=True)
class Chosen:
    """Which runs are listed; by default all.

    Args:
        methods: names or patterns.
        failed: only failed ones.
        since: only those that finished then or later, with a time zone.
    """

    methods: tuple[str, ...] | None = None
    failed: bool = False
    since: datetime | None = None

    def holds(self, spec: RunSpec, status: str, finished: str | None) -> bool:
        """Whether a run is one of them.

        Args:
            spec: the run's.
            status: `ok`, `failed` or `unfinished`.
            finished: ISO date and time with a zone; None where it is not known.
        """
        return (
            (self.methods is None or any(fits_method(spec, name) for name in self.methods))
            and (not self.failed or status == "failed")
            and (
                self.since is None
                or (finished is not None and datetime.fromisoformat(finished) >= self.since)
            )
        )


@dataclass(frozen=True)
class RunName:
    """A name, taken apart; a part that was not said fits everything.

    Args:
        dataset: name or pattern.
        method: name, pattern, or beginning of a hash.
        data_seed: digits or pattern.
        seed: digits or pattern.
    """

    dataset: str
    method: str
    data_seed: str
    seed: str

    @classmethod
    def parse(cls, text: str) -> RunName | None:
        """The parts of a name; None where the text has not its form.

        Raises:
            UsageError: what stands behind `@` is no seed.
        """
        place, at, seeds = text.partition("@")
        dataset, slash, method = place.partition("/")
        if "/" in method:
            return None
        if not slash:
            dataset, method = "*", place
        data_seed, dot, seed = seeds.rpartition(".")
        parts = [data_seed, seed] if dot else [seed] if at else []
        if not all(_SEED.fullmatch(part) for part in parts):
            raise UsageError(
                f"{seeds!r} in {text!r} is no seed", hint="write @SEED, or @DATA_SEED.SEED"
            )
        return cls(dataset, method, data_seed or "*", seed or "*")

    def fits(self, spec: RunSpec) -> bool:
        """Whether it means this run."""
        of_hash = len(self.method) >= _SHORTEST_HASH and spec.hash.startswith(self.method)
        return (
            fnmatchcase(spec.data.name, self.dataset)
            and (of_hash or fits_method(spec, self.method))
            and fnmatchcase(str(spec.data.seed), self.data_seed)
            and fnmatchcase(str(spec.seed), self.seed)
        )

"""A whole store, compared with what its records vouch for; what `run` would make again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from wsal_bench import files
from wsal_bench.errors import DataError, UnreadableError, WsalError
from wsal_bench.evaluation import protocol
from wsal_bench.localization.preset import spelled
from wsal_bench.locks import locked
from wsal_bench.running.cells import OWN_RECIPE, Cell
from wsal_bench.running.context import Stopwatch
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.digests import checked, digests_of, name_of, vouched
from wsal_bench.running.results import ResultStore, ScoreKey, StoredRun
from wsal_bench.running.scoring_stage import DamagedError, Scoring

Remedy = Literal["score again", "cut and score again", "make the cell again", "leave alone"]


@dataclass(frozen=True)
class Finding:
    """Something in a store that is not what was written, or cannot be read.

    Args:
        path: the file or folder.
        message: what is wrong, in a sentence.
        remedy: what the same `run` does about it; `leave alone` where nothing may be done.
        key: the scores that must be made again; None where more or less than scores must be.
        repaired: it was, just now.
        problem: why it could not be repaired; may be empty.
    """

    path: Path
    message: str
    remedy: Remedy
    key: ScoreKey | None = None
    repaired: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Verdict:
    """What became of a check.

    Args:
        path: the store.
        runs: how many records were read.
        files: how many files their records vouch for.
        unvouched: runs of earlier versions, whose records vouch for nothing.
        findings: all that is wrong.
        strays: folders that no run has made.
    """

    path: Path
    runs: int
    files: int
    unvouched: int
    findings: tuple[Finding, ...]
    strays: tuple[Path, ...]

    @property
    def ok(self) -> bool:
        """Nothing is wrong that was not repaired."""
        return all(one.repaired for one in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        findings = [
            {**asdict(one), "path": str(one.path), "key": one.key and vars(one.key)}
            for one in self.findings
        ]
        return {
            **vars(self),
            "path": str(self.path),
            "ok": self.ok,
            "findings": findings,
            "strays": [str(path) for path in self.strays],
        }


def verify(path: Path, *, repair: bool = False) -> Verdict:
    """Reads every file that a record of a store vouches for.

    Args:
        path: the store.
        repair: score again where scores are damaged, and cut again where segments are and the
            method's activations are whole.

    Raises:
        DataError: a repaired file cannot be written.
    """
    contents = ResultStore(path).contents()
    findings = [
        Finding(
            problem.directory / "record.json",
            problem.message,
            "leave alone" if problem.unreadable else "make the cell again",
        )
        for problem in contents.problems
    ]
    catalog, known = Catalog(), 0
    for run in contents.runs:
        known += len(run.record.get("digests") or {})
        found = [*_damage(run)]
        if repair and found:
            found = _repaired(run, found, catalog)
        findings += found
    return Verdict(
        path=path,
        runs=len(contents.runs),
        files=known,
        unvouched=sum(not run.failed and "digests" not in run.record for run in contents.runs),
        findings=tuple(findings),
        strays=tuple(contents.strays),
    )


def _damage(run: StoredRun) -> Iterator[Finding]:
    keys = {run.scores.path(key): key for key in run.scores}
    there = vouched(run.directory)
    known = run.record.get("digests")
    missing = [run.directory / name for name in known or {} if run.directory / name not in there]
    for path in (*there, *missing):
        key = keys.get(path)
        try:
            if key is None:
                checked(path, run.directory, known)
            else:
                run.scores[key]  # its digest, and whether it can be at all
        except UnreadableError as error:
            yield Finding(path, error.message, "leave alone")
        except DataError as error:
            yield Finding(path, error.message, *_remedy(run, path))


def _remedy(run: StoredRun, path: Path) -> tuple[Remedy, ScoreKey | None]:
    parts = Path(name_of(path, run.directory)).parts
    if parts[0] != "recipes":
        return "make the cell again", None
    if parts[2] == "scores":
        return "score again", ScoreKey(parts[1], path.stem.replace("--", "/", 1))
    if parts[1] == OWN_RECIPE and run.record.get("own_recipe"):
        return "make the cell again", None
    key = next((key for key in run.scores if key.recipe == spelled(parts[1])), None)
    return "cut and score again", key


def _repaired(run: StoredRun, found: list[Finding], catalog: Catalog) -> list[Finding]:
    """The same findings, each repaired where activations or segments are whole."""
    if any(one.key is None for one in found):  # what scores would be made from is damaged
        problem = "the same run makes the cell again"
        return [Finding(**{**vars(one), "problem": problem}) for one in found]
    done: dict[ScoreKey, str] = {}
    with locked(run.directory):
        for one in found:
            if one.key is not None and one.key not in done:
                done[one.key] = _score_again(run, one.key, catalog)
    return [
        Finding(**{**vars(one), "repaired": not done[one.key], "problem": done[one.key]})
        for one in found
        if one.key is not None
    ]


def _score_again(run: StoredRun, key: ScoreKey, catalog: Catalog) -> str:
    """Makes scores again, and lets the record vouch for them; why it cannot be done, or nothing."""
    try:
        if catalog.resolve(run.spec.data) != run.spec.data:
            return f"the data {run.spec.data.name!r} are not those of the run any more"
        dataset = catalog.dataset(run.spec.data)
        cell = Cell(run.spec, protocol(key.protocol), recipe=key.recipe)
        place = run.files
        files.remove(place.scores(key.recipe, key.protocol))
        scoring = Scoring(cell, dataset, place, Stopwatch(), lambda message: None)
        scoring.from_store(run.record)
    except (DamagedError, WsalError) as error:
        return str(error)
    known = scoring.digests or digests_of(run.directory)
    record = {**files.read_json(place.record), "digests": known}
    files.write_json(place.record, record)
    run.record = record
    return ""

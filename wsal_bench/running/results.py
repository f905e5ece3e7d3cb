"""The store: one directory per run is the truth; everything else is read from it.

`<dataset>/<method-variant>/<hash>/seed<k>/` holds spec.yaml, record.json, activations.npz,
history.jsonl, checkpoints/, log.txt and recipes/<recipe>/{detections.npz, recipe.json,
scores/<protocol>.json, diagnosis/<protocol>.json}. A directory without record.json is unfinished.
Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsal_bench.config import read_yaml
from wsal_bench.errors import DataError
from wsal_bench.evaluation import Scores
from wsal_bench.files import read_json
from wsal_bench.plugins.contract import Split
from wsal_bench.running.cells import RunSpec

RECORD_SCHEMA = "wsal-bench/record/1"


@dataclass(frozen=True)
class RunFiles:
    """Where everything of one run lies.

    Args:
        directory: the run's own.
    """

    directory: Path

    @property
    def record(self) -> Path:
        """What the run was and what became of it; written last."""
        return self.directory / "record.json"

    @property
    def spec(self) -> Path:
        """The specification, for readers; written first."""
        return self.directory / "spec.yaml"

    @property
    def history(self) -> Path:
        """One line per epoch."""
        return self.directory / "history.jsonl"

    @property
    def log(self) -> Path:
        """What was logged."""
        return self.directory / "log.txt"

    @property
    def recipes(self) -> Path:
        """A folder for each recipe."""
        return self.directory / "recipes"

    def activations(self, split: Split = "test") -> Path:
        """What the method said of each video of a split."""
        return self.directory / (
            "activations.npz" if split == "test" else f"activations-{split}.npz"
        )

    def detections(self, recipe: str, split: Split = "test") -> Path:
        """The segments that a recipe cut."""
        name = "detections.npz" if split == "test" else f"detections-{split}.npz"
        return self.recipes / recipe / name

    def recipe(self, recipe: str) -> Path:
        """The recipe itself, all numbers."""
        return self.recipes / recipe / "recipe.json"

    def scores(self, recipe: str, protocol: str) -> Path:
        """What a protocol says of these segments."""
        return self.recipes / recipe / "scores" / f"{protocol.replace('/', '--')}.json"

    def diagnosis(self, recipe: str, protocol: str) -> Path:
        """Where the errors under a protocol come from; not there in older runs."""
        return self.recipes / recipe / "diagnosis" / f"{protocol.replace('/', '--')}.json"


@dataclass(frozen=True)
class ScoreKey:
    """Which scores of a run.

    Args:
        recipe: `own` or a recipe's name.
        protocol: its name.
    """

    recipe: str
    protocol: str


class StoredScores(Mapping[ScoreKey, Scores]):
    """The scores of a run, each read when it is asked for."""

    def __init__(self, files: RunFiles) -> None:
        self._files = files
        self._paths = {
            ScoreKey(path.parent.parent.name, path.stem.replace("--", "/", 1)): path
            for path in sorted(files.recipes.glob("*/scores/[!.]*.json"))
        }

    def __getitem__(self, key: ScoreKey) -> Scores:
        """Reads them.

        Raises:
            KeyError: there are none.
            DataError: the file is damaged.
        """
        return read_scores(self._paths[key])

    def __iter__(self) -> Iterator[ScoreKey]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A finished or failed run.

    Args:
        directory: where it is stored.
        record: the content of record.json.
        scores: by recipe and protocol.
    """

    directory: Path
    record: Mapping[str, Any]
    scores: Mapping[ScoreKey, Scores]

    @property
    def spec(self) -> RunSpec:
        """What was run."""
        return RunSpec.from_json(self.record["spec"])

    @property
    def failed(self) -> bool:
        """It has no scores, but an error."""
        return bool(self.record["status"] != "ok")


@dataclass(frozen=True)
class Problem:
    """A directory of the store that cannot be read, and why."""

    directory: Path
    message: str


@dataclass(frozen=True)
class Unfinished:
    """A run that was begun and has no record yet: it runs, or was broken off."""

    directory: Path
    spec: RunSpec


class ResultStore:
    """All runs below a folder.

    Args:
        path: as in `--results`. A folder that is not there holds no run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def records(self, *, include_failed: bool = False) -> list[StoredRun]:
        """The runs that are done, sorted by directory; damaged ones are in `problems`.

        Args:
            include_failed: also those that ended with an error.
        """
        runs = [run for run in self._scan() if isinstance(run, StoredRun)]
        return [run for run in runs if include_failed or not run.failed]

    def problems(self) -> list[Problem]:
        """Directories whose record is damaged."""
        return [run for run in self._scan() if isinstance(run, Problem)]

    def unfinished(self) -> list[Unfinished]:
        """Runs that were begun and have no record yet, sorted by directory."""
        found = []
        for path in sorted(self.path.glob("*/*/*/seed*/spec.yaml")):
            if not RunFiles(path.parent).record.exists():
                try:
                    spec = RunSpec.from_json(read_yaml(path))
                except DataError:  # of another version: the same command begins it again
                    continue
                found.append(Unfinished(path.parent, spec))
        return found

    def _scan(self) -> Iterator[StoredRun | Problem]:
        for path in sorted(self.path.glob("*/*/*/seed*/record.json")):
            try:
                record = read_record(path)
            except DataError as error:
                yield Problem(path.parent, error.message)
            else:
                yield StoredRun(path.parent, record, StoredScores(RunFiles(path.parent)))


def read_record(path: Path) -> dict[str, Any]:
    """A record, checked.

    Raises:
        DataError: it is missing, half-written, of another schema or without its main parts.
    """
    record = read_json(path)
    if not isinstance(record, dict) or record.get("schema") != RECORD_SCHEMA:
        raise DataError(f"not a record of the schema {RECORD_SCHEMA}", path=path)
    if record.get("status") not in ("ok", "failed") or not isinstance(record.get("spec"), dict):
        raise DataError("a record without a status or a specification", path=path)
    try:
        RunSpec.from_json(record["spec"])
    except DataError as error:
        raise DataError(error.message, path=path) from error
    return record


def read_scores(path: Path) -> Scores:
    """A document of scores.

    Raises:
        DataError: it is missing or damaged.
    """
    document = read_json(path)
    if not isinstance(document, dict):
        raise DataError("not a document of scores", path=path)
    try:
        return Scores.from_json(document)
    except DataError as error:
        raise DataError(error.message, path=path) from error

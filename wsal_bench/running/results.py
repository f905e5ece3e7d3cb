"""The store: one directory per run is the truth; everything else is read from it.

`<dataset>/<method-variant>/<hash>/seed<k>/` holds spec.yaml, record.json, activations.npz,
history.jsonl, checkpoints/, log.txt and recipes/<recipe>/{detections.npz, recipe.json,
scores/<protocol>.json, diagnosis/<protocol>.json}. A directory without record.json is unfinished.
Imports no torch.
"""

from __future__ import annotations

import gc
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from wsal_bench.config import read_yaml
from wsal_bench.errors import DataError, UnreadableError, UsageError
from wsal_bench.evaluation import Scores
from wsal_bench.localization.preset import spelled, stored
from wsal_bench.plugins.contract import Split
from wsal_bench.running.cells import RunSpec
from wsal_bench.running.digests import Digests, checked
from wsal_bench.running.index import INDEX, Stamp, StoreIndex, names_in, stamp_of
from wsal_bench.running.record_file import read_record as read_record

_SEED_FOLDER = re.compile(r"seed-?[0-9]+")


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
    def aside(self) -> Path:
        """What was there before the run was made again; removed once the new files are whole."""
        return self.directory / ".aside"

    @property
    def recipes(self) -> Path:
        """A folder for each recipe."""
        return self.directory / "recipes"

    def activations(self, split: Split = "test") -> Path:
        """What the method said of each video of a split."""
        return self.directory / (
            "activations.npz" if split == "test" else f"activations-{split}.npz"
        )

    def cut(self, recipe: str) -> Path:
        """All that one recipe made; its folder has the name that the recipe is stored under."""
        return self.recipes / stored(recipe)

    def detections(self, recipe: str, split: Split = "test") -> Path:
        """The segments that a recipe cut."""
        name = "detections.npz" if split == "test" else f"detections-{split}.npz"
        return self.cut(recipe) / name

    def recipe(self, recipe: str) -> Path:
        """The recipe itself, all numbers."""
        return self.cut(recipe) / "recipe.json"

    def scores(self, recipe: str, protocol: str) -> Path:
        """What a protocol says of these segments."""
        return self.cut(recipe) / "scores" / f"{protocol.replace('/', '--')}.json"

    def diagnosis(self, recipe: str, protocol: str) -> Path:
        """Where the errors under a protocol come from; not there in older runs."""
        return self.cut(recipe) / "diagnosis" / f"{protocol.replace('/', '--')}.json"


@dataclass(frozen=True)
class ScoreKey:
    """Which scores of a run.

    Args:
        recipe: `own` or a recipe's name, in any of its spellings.
        protocol: its name.
    """

    recipe: str
    protocol: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "recipe", spelled(self.recipe))


class StoredScores(Mapping[ScoreKey, Scores]):
    """The scores of a run, each read when it is asked for.

    Args:
        files: the run's.
        digests: what its record vouches for; None where it does not say.
        index: of the store; None: nothing is looked up.
    """

    def __init__(
        self, files: RunFiles, digests: Digests | None, index: StoreIndex | None = None
    ) -> None:
        self._files, self._digests, self._index = files, digests, index

    @cached_property
    def _names(self) -> Mapping[ScoreKey, str]:
        """The documents that are there, as text: a store has 10,000, and a path takes its time."""
        names = names_in if self._index is None else self._index.names
        recipes = f"{self._files.directory}/recipes"
        found = {}
        for recipe in names(recipes):
            folder = f"{recipes}/{recipe}/scores"
            for name in names(folder):
                stem, dot, ending = name.rpartition(".")
                if dot and ending == "json" and not name.startswith("."):
                    found[ScoreKey(recipe, stem.replace("--", "/", 1))] = f"{folder}/{name}"
        return found

    def stamp(self, key: ScoreKey) -> Stamp | None:
        """What changes whenever the document does."""
        return stamp_of(self._names[key])

    def path(self, key: ScoreKey) -> Path:
        """Where a document is.

        Raises:
            KeyError: there is none.
        """
        return Path(self._names[key])

    def summary(self, key: ScoreKey) -> Scores | None:
        """The scores without what became of each detection; None where there are none.

        Raises:
            DataError: as of `[key]`.
        """
        if key not in self._names:
            return None
        if self._index is None:
            return self[key]
        return self._index.scores(self._names[key], lambda: self[key])

    def __getitem__(self, key: ScoreKey) -> Scores:
        """Reads them.

        Raises:
            KeyError: there are none.
            DataError: the file is damaged, or not the one that the record vouches for.
            UnreadableError: it cannot be read, or is of a newer version.
        """
        return read_scores(self.path(key), self._files.directory, self._digests)

    def __iter__(self) -> Iterator[ScoreKey]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(eq=False)
class StoredRun:
    """A finished or failed run.

    Args:
        directory: where it is stored.
        record: the content of record.json.
        scores: by recipe and protocol.
    """

    directory: Path
    record: Mapping[str, Any]
    scores: StoredScores

    @property
    def files(self) -> RunFiles:
        """Where all of it lies."""
        return RunFiles(self.directory)

    @cached_property
    def spec(self) -> RunSpec:
        """What was run."""
        spec = RunSpec.from_json(self.record["spec"])
        if "hash" in self.record:  # once more 5,000 times takes a second
            vars(spec)["hash"] = self.record["hash"]
        return spec

    def whole(self, path: Path) -> Path:
        """A file of the run, compared with what its record vouches for.

        Raises:
            DataError: it is not there, or another one was written.
        """
        checked(path, self.directory, self.record.get("digests"))
        return path

    @property
    def failed(self) -> bool:
        """It has no scores, but an error."""
        return bool(self.record["status"] != "ok")


@dataclass(frozen=True)
class Problem:
    """A directory of the store that cannot be read, and why.

    Args:
        directory: the run's.
        message: what is wrong, in a sentence.
        unreadable: it may be whole all the same: nothing is made in its place.
    """

    directory: Path
    message: str
    unreadable: bool = False


@dataclass(frozen=True)
class Unfinished:
    """A run that was begun and has no record yet: it runs, or was broken off."""

    directory: Path
    spec: RunSpec


@dataclass(frozen=True, eq=False)
class Contents:
    """All that lies in a store, each sorted by directory.

    Args:
        runs: finished and failed ones.
        problems: directories whose record is damaged or cannot be read.
        unfinished: runs that were begun and have no record yet.
        strays: folders that no run made: copies, backups. Their content is not looked at.
        index: what was read before.
    """

    runs: list[StoredRun]
    problems: list[Problem]
    unfinished: list[Unfinished]
    strays: list[Path]
    index: StoreIndex | None = None


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
        runs = self.contents().runs
        return [run for run in runs if include_failed or not run.failed]

    def problems(self) -> list[Problem]:
        """Directories whose record is damaged."""
        return self.contents().problems

    def unfinished(self) -> list[Unfinished]:
        """Runs that were begun and have no record yet, sorted by directory."""
        return self.contents().unfinished

    def contents(self, index: StoreIndex | None = None) -> Contents:
        """Everything, read once.

        Args:
            index: what was read before; records then lack what no table shows.
        """
        found = Contents([], [], [], [], index)
        for directory in _seed_folders(self.path, names_in if index is None else index.names):
            if _SEED_FOLDER.fullmatch(directory.name) is None:
                found.strays.append(directory)
            elif os.path.exists(f"{directory}/record.json"):  # noqa: PTH110 - 5,000 of them
                self._take(directory, found, index)
            elif (begun := _begun(directory)) is not None:
                if _made_in(directory, begun.spec):
                    found.unfinished.append(begun)
                else:
                    found.strays.append(directory)
        return found

    @contextmanager
    def indexed(self) -> Iterator[Contents]:
        """Everything a table needs, from the index where it is there; renewed at the end."""
        collecting = gc.isenabled()
        gc.disable()  # a million objects without a circle: looking for one takes a quarter longer
        try:
            index = StoreIndex(self.path)
            found = self.contents(index)
            yield found
            index.forget({str(run.directory) for run in found.runs})
            index.save()
        finally:
            if collecting:
                gc.enable()

    def _take(self, directory: Path, found: Contents, index: StoreIndex | None) -> None:
        try:
            run = open_run(directory, index)
        except DataError as error:
            unreadable = isinstance(error, UnreadableError)
            found.problems.append(Problem(directory, error.message, unreadable))
            return
        if _made_in(directory, run.spec):
            found.runs.append(run)
        else:
            found.strays.append(directory)


def _seed_folders(path: Path, names: Callable[[str], list[str]]) -> Iterator[Path]:
    """`*/*/*/seed*`, sorted."""
    folders = [f"{path}/{name}" for name in names_in(path) if name != INDEX]
    for _ in range(2):
        folders = [f"{folder}/{name}" for folder in folders for name in names(folder)]
    for folder in folders:
        for name in names(folder):
            if name.startswith("seed"):
                yield Path(f"{folder}/{name}")


def _made_in(directory: Path, spec: RunSpec) -> bool:
    """Whether this is where a run was made, not where somebody copied it to."""
    return directory.as_posix().endswith(f"/{spec.key}") or directory.as_posix() == spec.key


def _begun(directory: Path) -> Unfinished | None:
    path = RunFiles(directory).spec
    try:
        return Unfinished(directory, RunSpec.from_json(read_yaml(path))) if path.exists() else None
    except DataError:  # of another version: the same command begins it again
        return None


def open_run(directory: Path, index: StoreIndex | None = None) -> StoredRun:
    """The finished or failed run of a directory.

    Args:
        directory: the run's.
        index: of its store; the record then lacks what no table shows.

    Raises:
        DataError: as of `read_record`.
    """
    files = RunFiles(directory)
    record = read_record(files.record) if index is None else index.record(files.record)
    return StoredRun(directory, record, StoredScores(files, record.get("digests"), index))


def read_scores(path: Path, directory: Path, digests: Digests | None) -> Scores:
    """A document of scores, if its run's record vouches for it.

    Args:
        path: the document.
        directory: the run's.
        digests: what the record says; None where it does not.

    Raises:
        DataError: it is missing, damaged, changed, or contradicts itself.
        UnreadableError: it is of a newer version, or reading it failed.
    """
    content = checked(path, directory, digests)
    try:
        document = json.loads(content)
    except ValueError as error:
        raise DataError(f"not JSON, maybe half-written ({error})", path=path) from error
    if not isinstance(document, dict):
        raise DataError("not a document of scores", path=path)
    try:
        return Scores.from_json(document)
    except UsageError as error:  # a rule that this version does not have
        raise UnreadableError(error.message, hint=error.hint, path=path) from error
    except DataError as error:
        raise DataError(error.message, path=path) from error

"""What a run is asked for and what it is made of: requests, specifications, cells.

A cell is one method (or reference row) on one data set with one seed. Its specification holds all
that decides its numbers, and its hash is the name of its folder. Imports no torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from wsal_bench.config import Found
from wsal_bench.errors import DataError
from wsal_bench.evaluation.protocols import Protocol
from wsal_bench.plugins.contract import Split, Track

Precision = Literal["fp32", "bf16"]
OWN_RECIPE = "own"
"""The recipe that a method brings; any other choice is a name in `localization.recipe`."""


@dataclass(frozen=True)
class RunRequest:
    """What somebody asks for, in the words of the command line.

    Args:
        methods: names, variants, groups, patterns.
        datasets: names, or `name:PATH`.
        seeds: training seeds.
        data_seeds: for data sets that are drawn from a seed.
        sets: `NAME[:VARIANT].KEY=VALUE`, strongest of all options.
        preset: the methods' preset, `published` for the defaults of all; None: the one that the
            data set names. A method without it runs on its defaults.
        config_file: YAML, {method or method:variant or data set: {key: value}}.
        protocol: None: `<dataset>/common`.
        recipe: `own`, or a name in `localization.recipe`.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        precision: `fp32`, or `bf16` for autocast.
        threads: CPU threads of each cell.
        jobs: cells that run at once.
        num_workers: threads of each cell that read coming batches; in no hash.
        quick: the data set's small version with the preset `quick`, or at most 200 steps; ranks
            nothing.
        results: where runs are stored.
        overwrite: do finished cells again.
        floors: with the reference rows.
        in_process: train in this process; what a method does to it then concerns all others.
        cell_timeout: seconds after which a cell that still learns or infers has failed.
        cell_memory: bytes of memory with which a cell that learns or infers has failed.
    """

    methods: tuple[str, ...]
    datasets: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    data_seeds: tuple[int, ...] = (0,)
    sets: tuple[str, ...] = ()
    preset: str | None = None
    config_file: Path | None = None
    protocol: str | None = None
    recipe: str = OWN_RECIPE
    device: str = "auto"
    precision: Precision = "fp32"
    threads: int = 1
    jobs: int = 1
    num_workers: int = 0
    quick: bool = False
    results: Path = Path("results")
    overwrite: bool = False
    floors: bool = True
    in_process: bool = False
    cell_timeout: float | None = None
    cell_memory: int | None = None


@dataclass(frozen=True)
class DataSpec:
    """A data set, resolved.

    Args:
        plugin: name of the plugin.
        name: in tables and folders.
        version: the plugin's.
        config: all its options.
        fingerprint: digest of the files behind it.
        seed: that it was drawn from; 0 where it is not drawn.
        seeded: it is drawn from a seed.
        shortened: only the first few videos, for a quick run.
        path: where its files lie; where, not what, so it is in no hash.
    """

    plugin: str
    name: str
    version: str
    config: Mapping[str, Any]
    fingerprint: str = ""
    seed: int = 0
    seeded: bool = False
    shortened: bool = False
    path: str | None = None


@dataclass(frozen=True)
class Need:
    """Something of another cell that a method begins with.

    Args:
        method: the parent's name.
        kind: checkpoint, activations or proposals.
        splits: of which videos, where it is no checkpoint.
        hash: of the parent's specification.
        cell: the parent's key.
    """

    method: str
    kind: str
    splits: tuple[Split, ...]
    hash: str
    cell: str


@dataclass(frozen=True)
class RunSpec:
    """All that decides a cell's numbers before localization and scoring.

    Args:
        method: its name, or that of a reference row (`floor:random`).
        variant: None where the method has one form.
        method_version: the plugin's.
        config: all its options.
        data: the data set.
        track: what the run may know.
        seed: the training seed, the one thing that the hash leaves out.
        precision: `fp32` or `bf16`.
        threads: CPU threads.
        device: `cpu` or `cuda`.
        needs: by the name that the method gives them.
        quick: a quick run; ranks nothing.
        max_steps: training ends after so many steps; None: where the method ends it.
        preset: which preset was used; for readers, not in the hash.
        found: how its options were found, and those of the parents' presets; for readers, not in
            the hash.
        by_hand: options of method and data set set by `--config` and `--set`; for readers, not in
            the hash.
    """

    method: str
    variant: str | None
    method_version: str
    config: Mapping[str, Any]
    data: DataSpec
    track: Track
    seed: int
    precision: Precision = "fp32"
    threads: int = 1
    device: str = "cpu"
    needs: Mapping[str, Need] = field(default_factory=dict)
    quick: bool = False
    max_steps: int | None = None
    preset: str = ""
    found: tuple[Found, ...] = ()
    by_hand: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`ftcl:full`, or the method alone."""
        return f"{self.method}:{self.variant}" if self.variant else self.method

    @property
    def identity(self) -> dict[str, Any]:
        """What the hash covers, as plain values."""
        document = self.to_json()
        for key in ("seed", "preset", "found", "by_hand"):
            del document[key]
        if self.max_steps is None:  # runs without a limit keep the hash that they had before
            del document["max_steps"]
        del document["data"]["path"]
        for need in document["needs"].values():
            del need["cell"]
        return document

    @cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits; the same in whatever order options were given."""
        text = json.dumps(self.identity, sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def key(self) -> str:
        """The cell's folder below the results: data set, method, hash, seed."""
        method = self.name.replace(":", "-")
        return f"{self.data.name}/{method}/{self.hash}/seed{self.seed}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives the same specification back."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> RunSpec:
        """The specification that `to_json` wrote.

        Raises:
            DataError: the document is no specification.
        """
        try:
            # what earlier versions did not write: no limit, and nobody knows how options were found
            document = {"max_steps": None, "found": [{}], **document}
            values = {item.name: document[item.name] for item in fields(cls)}
            track = {**values["track"], "external_models": tuple(_models(values["track"]))}
            needs = {
                name: Need(**{**need, "splits": tuple(need["splits"])})
                for name, need in values["needs"].items()
            }
            values |= {
                "data": DataSpec(**values["data"]),
                "track": Track(**track),
                "needs": needs,
                "found": tuple(Found(**found) for found in values["found"]),
                "by_hand": tuple(values["by_hand"]),
            }
            return cls(**values)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"not a run's specification ({error!r})") from error


@dataclass(frozen=True)
class Cell:
    """One row to be made.

    Args:
        spec: what it is.
        protocol: how it is scored.
        recipe: how its activations are cut: `own` or a recipe's name.
        device: the torch device to use, with its number.
        asked: false for a parent that nobody asked for: stored, but no row.
        splits: of which videos activations are stored; more than `test` where a child needs them.
        inherited: a child begins with its weights.
    """

    spec: RunSpec
    protocol: Protocol
    recipe: str = OWN_RECIPE
    device: str = "cpu"
    asked: bool = True
    splits: tuple[Split, ...] = ("test",)
    inherited: bool = False

    @property
    def key(self) -> str:
        """The cell's folder below the results."""
        return self.spec.key

    @property
    def title(self) -> str:
        """Which it is, for notes."""
        return f"{self.spec.name}, seed {self.spec.seed}"

    @property
    def is_floor(self) -> bool:
        """A reference row: made from the truth, nothing is learnt."""
        return self.spec.method.startswith(("floor:", "ceiling:"))

    @property
    def parents(self) -> tuple[str, ...]:
        """Keys of the cells that must be done first."""
        return tuple(need.cell for need in self.spec.needs.values())


def _models(track: Mapping[str, Any]) -> list[str]:
    return list(track["external_models"])

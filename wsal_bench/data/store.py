"""The form in which imported data sets lie on disk, and how they are read.

STORE/index.json                    what is written below, checksums included
STORE/train.npy, test.npy           features of all videos of a split, [N, D], one after the other
STORE/truth/<variant>-<split>.npz   true segments

`index.json` is written last: a folder without it is no data set yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from wsal_bench.config import Config
from wsal_bench.data.features import open_features
from wsal_bench.data.packed import PackedFeatures, PackedFile
from wsal_bench.data.placing import INDEX, put_right
from wsal_bench.errors import DataError
from wsal_bench.evaluation.formats import truth_from_npz
from wsal_bench.files import read_bytes, read_json
from wsal_bench.plugins.contract import SPLITS, Split
from wsal_bench.types import GroundTruth


class Entry(Config):
    """One video of the index."""

    video_id: str
    first: int = Field(ge=0)  # its first row in the split's file
    length: int = Field(ge=1)  # T
    group: str
    labels: tuple[str, ...] | None  # classes that the source names apart from segments
    sha256: str  # of its rows as they lie in the store


class Index(Config):
    """`index.json`."""

    schema_: Literal["wsal-bench/store/1"] = Field("wsal-bench/store/1", alias="schema")
    name: str
    layout: str  # what it was imported from
    preset: str = ""  # of the methods; empty: the name above
    fps: float = Field(gt=0)
    stride: float = Field(gt=0)
    class_names: tuple[str, ...]
    feature_dim: int = Field(ge=1)
    dtype: Literal["float16", "float32"]
    streams: dict[str, tuple[int, int]]
    notes: tuple[str, ...]  # what was unusual in the source
    videos: dict[Split, tuple[Entry, ...]]
    truths: dict[str, dict[Split, str]]  # variant -> split -> sha256 of its file

    def digest(self) -> str:
        """Of everything that decides a number; not of name, layout, preset or notes."""
        told = {"name", "layout", "preset", "notes", "schema_"}
        values = self.model_dump(mode="json", exclude=told)
        return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class Store:
    """An imported data set, opened: the index is read, features and truth when asked for.

    Args:
        root: its folder.

    Raises:
        DataError: no index there, or a wrong one; a feature file that is missing or does not
            have the rows that the index promises.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.index = read_index(root)
        self._files = {split: self._open(split) for split in SPLITS}

    def check_truths(self) -> None:
        """Compares each file of truth with the digest that the index has of it.

        Raises:
            DataError: one is missing, or not what was imported.
        """
        for variant, digests in self.index.truths.items():
            for split, wanted in digests.items():
                path = truth_path(self.root, variant, split)
                if sha256(read_bytes(path)).hexdigest() != wanted:
                    raise DataError(
                        "truth is not what was imported",
                        hint="import the data set again",
                        path=path,
                    )

    def features(self, split: Split) -> Mapping[str, PackedFeatures]:
        """Features by video, in the index's order."""
        file = self._files[split]
        return {
            entry.video_id: PackedFeatures(file, entry.first, entry.length)
            for entry in self.index.videos[split]
        }

    @cached_property
    def truths(self) -> Mapping[str, Mapping[Split, GroundTruth]]:
        """Truth variant -> split -> true segments.

        Raises:
            DataError: a file is missing or wrong inside.
        """
        return {
            variant: {split: truth_from_npz(truth_path(self.root, variant, split)) for split in has}
            for variant, has in self.index.truths.items()
        }

    def _open(self, split: Split) -> PackedFile:
        header = open_features(features_path(self.root, split))
        rows = sum(entry.length for entry in self.index.videos[split])
        wanted = ((rows, self.index.feature_dim), self.index.dtype)
        if (header.shape, header.dtype.name) != wanted or header.order != "C":
            raise DataError(
                f"holds {header.shape} {header.dtype.name}, but the index promises {wanted[0]} "
                f"{wanted[1]}",
                hint="import the data set again",
                path=header.path,
            )
        return PackedFile(header)


def features_path(root: Path, split: Split) -> Path:
    """The file of a split's features."""
    return root / f"{split}.npy"


def truth_path(root: Path, variant: str, split: Split) -> Path:
    """The file of a split's truth."""
    return root / "truth" / f"{variant}-{split}.npz"


def is_store(root: Path) -> bool:
    """True where a whole imported data set lies; what a killed import left there is put right."""
    put_right(root)
    return (root / INDEX).is_file()


def read_index(root: Path) -> Index:
    """The index of an imported data set.

    Raises:
        DataError: there is none, or it is not one.
    """
    put_right(root)
    path = root / INDEX
    values = read_json(path)
    try:
        return Index.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise DataError(
            f"not the index of an imported data set: {where}: {first['msg']}",
            hint="import the data set again",
            path=path,
        ) from error


def write_index(root: Path, index: Index) -> None:
    """Writes the index; the last step of an import.

    Raises:
        DataError: it cannot be written.
    """
    from wsal_bench.files import write_json

    write_json(root / INDEX, index.model_dump(mode="json", by_alias=True))

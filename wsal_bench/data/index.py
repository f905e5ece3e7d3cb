"""`index.json` of a store: what lies where in it, with checksums and a seal.

The seal is the digest of all else in the index: one that was changed is not believed. Indices of
the first schema have neither a seal nor quick checksums of features; they are read all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from wsal_bench.config import Config
from wsal_bench.data.placing import INDEX, how_to_replace, put_right
from wsal_bench.errors import DataError
from wsal_bench.files import read_json, write_json
from wsal_bench.plugins.contract import Split

SEALED: Final = "wsal-bench/store/2"
_UNSEALED: Final = "wsal-bench/store/1"


class Entry(Config):
    """One video of the index."""

    video_id: str
    first: int = Field(ge=0)  # its first row in the split's file
    length: int = Field(ge=1)  # T
    group: str
    labels: tuple[str, ...] | None  # classes that the source names apart from segments
    sha256: str  # of its rows as they lie in the store
    crc32: str = ""  # of the same, which is quicker to compare; empty in the first schema

    @property
    def checksum(self) -> str:
        """The quicker of the two, with its kind."""
        return f"crc32:{self.crc32}" if self.crc32 else f"sha256:{self.sha256}"


class Index(Config):
    """`index.json` without its seal."""

    schema_: Literal["wsal-bench/store/1", "wsal-bench/store/2"] = Field(SEALED, alias="schema")
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
        """Of everything that decides a number; not of name, layout, preset or notes.

        Quick checksums are left out: adding them makes no other data.
        """
        told = {"name", "layout", "preset", "notes", "schema_"}
        values = self.model_dump(mode="json", exclude=told)
        for entries in values["videos"].values():
            for entry in entries:
                del entry["crc32"]
        return _digest(values)

    @property
    def is_sealed(self) -> bool:
        """Whether it has a seal and quick checksums."""
        return self.schema_ == SEALED


def read_index(root: Path) -> Index:
    """The index of an imported data set.

    Raises:
        DataError: there is none, it is not one, or it was changed after the import.
    """
    put_right(root)
    path = root / INDEX
    values = read_json(path)
    schema = values.get("schema") if isinstance(values, dict) else None
    if schema == SEALED or (schema == _UNSEALED and "seal" in values):
        seal, found = str(values.pop("seal", "missing")), _digest(values)
        if seal != found:
            raise DataError(
                f"was changed after the import: its seal is {seal[:16]}, but its contents give "
                f"{found[:16]}",
                hint=how_to_replace(root),
                path=path,
            )
    try:
        return Index.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise DataError(
            f"not the index of an imported data set: {where}: {first['msg']}",
            hint=how_to_replace(root),
            path=path,
        ) from error


def unsealed(root: Path) -> str:
    """What is to be said of a store of the first schema."""
    return (
        f"{root}: imported before stores had a seal and quick checksums; features are compared by "
        f"SHA-256, which is slower, and its index is not; wsal-bench data validate {root.name} "
        "--seal adds both"
    )


def write_index(root: Path, index: Index) -> None:
    """Writes the index with its seal; the last step of an import.

    Raises:
        DataError: it cannot be written.
    """
    values = index.model_dump(mode="json", by_alias=True) | {"schema": SEALED}
    write_json(root / INDEX, values | {"seal": _digest(values)})


def _digest(values: Mapping[str, Any]) -> str:
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

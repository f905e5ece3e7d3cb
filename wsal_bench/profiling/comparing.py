"""Whether a profile is worse than an older one: ratios against the definition, not seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsal_bench.errors import DataError, GateError
from wsal_bench.files import read_json

SCHEMA = "wsal-bench/profile/1"
_KEY = ("kernel", "backend", "device", "dtype", "batch", "length", "dim", "pass")


@dataclass(frozen=True)
class Comparison:
    """Two profiles side by side.

    Args:
        worse: a line for each row whose ratio fell by more than is allowed.
        only_old: rows that the new profile lacks.
        only_new: rows that the old profile lacks.
        without_ratio: rows that cannot be compared, because one side has no ratio.
        compared: number of rows that could be.
    """

    worse: tuple[str, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    without_ratio: tuple[str, ...]
    compared: int

    def lines(self) -> list[str]:
        """What was found, besides what is worse."""
        parts = (
            ("only in the old profile", self.only_old),
            ("only in the new profile", self.only_new),
            ("no ratio to compare", self.without_ratio),
        )
        head = f"compared {self.compared} rows, {len(self.worse)} worse"
        return [head, *(f"{title}: {name}" for title, names in parts for name in names)]

    def enforce(self) -> None:
        """Fails where something is worse, or where nothing could be compared.

        Raises:
            GateError: names the rows.
        """
        if self.worse:
            raise GateError(f"slower than before: {'; '.join(self.worse)}")
        if not self.compared:
            raise GateError(
                "no row of the old profile could be compared",
                hint="measure the same kernels, backends and sizes",
            )


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a kernel profile.

    Raises:
        DataError: the file cannot be read, is of another kind or is damaged.
    """
    content = read_json(path)
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise DataError(f"schema is {schema!r}, expected {SCHEMA!r}", path=path)
    data = content.get("data")
    rows = data.get("rows") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise DataError("data.rows is missing or no list", path=path)
    for index, row in enumerate(rows):
        needed = (*_KEY, "reference_ratio")
        missing = [n for n in needed if n not in row] if isinstance(row, dict) else [*needed]
        if missing:
            raise DataError(f"row {index} lacks {', '.join(missing)}", path=path)
        ratio = row["reference_ratio"]
        if ratio is not None and (type(ratio) not in (int, float) or not ratio > 0):
            raise DataError(f"row {index}: reference_ratio is {ratio!r}", path=path)
    return rows


def compare(
    old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]], max_regression: float
) -> Comparison:
    """Compares the ratios of rows with the same kernel, backend, device, precision and size.

    Args:
        old: rows of a document.
        new: the same.
        max_regression: share of the old ratio that may be lost.
    """
    before, now = ({_name(row): row["reference_ratio"] for row in rows} for rows in (old, new))
    both = [name for name in before if name in now]
    with_ratio = [
        name
        for name in both
        if before[name] is not None and now[name] is not None and " reference " not in f" {name} "
    ]
    worse = [
        f"{name}: {now[name]:.3g} times the reference, was {before[name]:.3g}"
        for name in with_ratio
        if now[name] < (1 - max_regression) * before[name]
    ]
    skipped = [name for name in both if before[name] is None or now[name] is None]
    return Comparison(
        worse=tuple(worse),
        only_old=tuple(name for name in before if name not in now),
        only_new=tuple(name for name in now if name not in before),
        without_ratio=tuple(skipped),
        compared=len(with_ratio),
    )


def _name(row: Mapping[str, Any]) -> str:
    size = f"B={row['batch']} L={row['length']}"
    dim = f" D={row['dim']}" if row["dim"] is not None else ""
    where = f"{row['kernel']} {row['backend']} {row['device']} {row['dtype']}"
    return f"{where} {size}{dim} {row['pass']}"

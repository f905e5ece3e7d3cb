"""The statistics of tables that were made before: resampling 5,000 runs takes minutes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from wsal_bench import evaluation, statistics
from wsal_bench.running.index import StoreIndex
from wsal_bench.statistics import RowStatistics
from wsal_bench.studies.leaderboard import Row, compared

_FORM = TypeAdapter(dict[str, RowStatistics])


class KnownStatistics:
    """Statistics of the rows of a table; from the index where all scores are those of then.

    Args:
        index: of the store; None: nothing is known.
    """

    def __init__(self, index: StoreIndex | None = None) -> None:
        self._index = index

    def __call__(self, rows: Sequence[Row], best: str) -> dict[str, RowStatistics]:
        """By the rows' names.

        Args:
            rows: of one table.
            best: the one that the others are compared with; empty: none.
        """
        key = self._key(rows, best)
        known = self._index.table(key) if self._index and key else None
        if known is not None:
            return _FORM.validate_python(known)
        found = compared(rows, best)
        if self._index and key:
            value: Any = json.loads(json.dumps({name: asdict(one) for name, one in found.items()}))
            self._index.keep_table(key, value)
        return found

    def _key(self, rows: Sequence[Row], best: str) -> str:
        """Digest of all that decides; empty where a run does not say which file it is of."""
        runs = [
            [row.name, run.data_seed, run.seed, run.mark]
            for row in rows
            for run in row.runs
            if run.scores is not None
        ]
        if not all(run[-1] for run in runs):
            return ""
        return sha256(json.dumps([_program(), best, runs]).encode()).hexdigest()


@cache
def _program() -> str:
    """Digest of what computes them: another program may say something else."""
    found = sha256()
    for room in (evaluation, statistics):
        for path in sorted(Path(str(room.__file__)).parent.glob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()

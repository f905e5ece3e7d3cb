"""Where imported data sets lie: one folder for all of them, one folder in it for each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "WSAL_BENCH_DATA"


def data_root() -> Path:
    """The folder of all imported data sets; need not exist.

    `--data-root` sets the variable WSAL_BENCH_DATA for its process and those it starts; without
    either it is the folder that the system keeps for a user's data.
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen:
        return Path(chosen).expanduser().resolve()
    from platformdirs import user_data_path

    return user_data_path("wsal-bench", appauthor=False) / "data"


def store_path(name: str) -> Path:
    """The folder of an imported data set; need not exist."""
    return data_root() / name

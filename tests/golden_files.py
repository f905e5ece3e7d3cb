"""Golden files of published methods: those in `tests/golden`, or anybody's in the same layout."""

import os
from pathlib import Path

import pytest

VARIABLE = "WSAL_BENCH_GOLDEN"
OURS = Path(__file__).parent / "golden"


def golden_files(kind: str, pattern: str) -> list[Path]:
    """Files of a kind, sorted by name; none where the folder of that kind is missing.

    Args:
        kind: `methods`, `pipelines` or `samplers`, a folder in the environment variable's folder.
        pattern: of file names.

    Raises:
        FileNotFoundError: the folder is there, and no file in it.
    """
    folder = golden_folder(kind)
    found = sorted(folder.glob(pattern))
    if folder.is_dir() and not found:
        raise FileNotFoundError(f"no file {pattern} in {folder}")
    return found


def golden_folder(kind: str) -> Path:
    return Path(os.environ.get(VARIABLE) or OURS) / kind


def golden_cases(kind: str, pattern: str, known: set[str]) -> list[object]:
    """What `parametrize` takes: the paths, those of unknown methods and a missing folder skipped.

    Args:
        kind: see `golden_files`.
        pattern: of file names.
        known: stems of the files that can be tested.
    """
    files = golden_files(kind, pattern)
    if not files:
        reason = f"there is no folder {golden_folder(kind)}"
        return [pytest.param(Path(), id="missing", marks=pytest.mark.skip(reason=reason))]
    return [
        pytest.param(
            path,
            id=path.stem,
            marks=()
            if path.stem in known
            else pytest.mark.skip(reason=f"the suite has no method {path.stem}"),
        )
        for path in files
    ]

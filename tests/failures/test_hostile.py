"""Tampered files are read, or refused in one sentence that names them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.failures import hostile

KINDS = [
    pytest.param(kind, marks=pytest.mark.slow) if kind.startswith("features") else kind
    for kind in hostile.KINDS
]


@pytest.mark.parametrize("kind", KINDS)
def test_tampered_files_are_read_or_one_sentence(kind: str, tmp_path: Path) -> None:
    done = hostile.in_a_process(kind, tmp_path, range(200), 1, time.monotonic() + 600)
    assert (done.tried, done.lost) == (200, [])

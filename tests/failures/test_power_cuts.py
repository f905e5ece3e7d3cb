"""The power fails after any file operation; the same command then ends with the same bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.made_up import write_acm
from tests.data.test_importing import FORM, content, source_of
from tests.failures.powercut import Disk, Tree, rebuild
from tests.running.toys import numbers, request
from wsal_bench.data.importing import write_store
from wsal_bench.data.store import Store, is_store
from wsal_bench.running.runner import run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="watches through /proc")
FEW = 3


def moments_of(root: Path, act: Callable[[Path], object]) -> list[Tree]:
    root.mkdir()
    with Disk(root.resolve()).watched() as disk:
        act(root)
    lost = {name for name in live(root) if disk.kept.get(name) != (root / name).read_bytes()}
    assert not lost, "it said that it was done"
    return disk.moments


def live(root: Path) -> set[str]:
    """The files that somebody could miss."""
    names = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    return {name for name in names if Path(name).name not in ("log.txt", ".lock")}


def some(moments: list[Tree], number: int | None) -> list[tuple[int, Tree]]:
    """The moments to try: all, or so many spread over them, always the last one."""
    step = 1 if number is None else max(1, len(moments) // number)
    return list(enumerate(moments))[::-1][::step]


def run_again(tmp_path: Path, number: int | None) -> int:
    """Runs, then once more from each state; returns how many there were."""

    def act(root: Path) -> object:
        return run(request(root / "results", "toy", "plain"))

    moments = moments_of(tmp_path / "whole", act)
    wanted = numbers(tmp_path / "whole")
    chosen = some(moments, number)
    for place, tree in chosen:
        root = tmp_path / f"cut{place}"
        rebuild(tree, root)
        act(root)
        assert numbers(root) == wanted, place
        assert not list(root.rglob("*.tmp")), place
    return len(chosen)


def import_again(tmp_path: Path, number: int | None) -> int:
    """Replaces a store by another; at each moment one of the two is there, and the import ends."""
    old, new = (source_of(write_acm(tmp_path / name)) for name in ("src", "other"))

    def prepare(root: Path) -> None:
        write_store(old, root / "mine", FORM)

    def act(root: Path) -> None:
        prepare(root)
        write_store(new, root / "mine", FORM)

    moments = moments_of(tmp_path / "whole", act)
    wanted = content(tmp_path / "whole")
    chosen = some(moments, number)
    seen = False
    for place, tree in sorted(chosen, key=lambda one: one[0]):
        root = tmp_path / f"cut{place}"
        rebuild(tree, root)
        there = is_store(root / "mine")
        assert there or not seen, "a store that was there is gone"
        seen = there
        if there:
            assert Store(root / "mine").truths
        write_store(new, root / "mine", FORM)
        assert content(root) == wanted, place
    return len(chosen)


def test_a_run_survives_power_cuts(tmp_path: Path) -> None:
    assert run_again(tmp_path, FEW) >= FEW


def test_an_import_survives_power_cuts(tmp_path: Path) -> None:
    assert import_again(tmp_path, 20) >= 20


@pytest.mark.slow
def test_a_run_survives_every_power_cut(tmp_path: Path) -> None:
    assert run_again(tmp_path, None) > 50


@pytest.mark.slow
def test_an_import_survives_every_power_cut(tmp_path: Path) -> None:
    assert import_again(tmp_path, None) > 40

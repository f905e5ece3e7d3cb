"""The power fails after any file operation; the same command then ends with the same bytes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
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
FEW = 2


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


def trials_of_run(tmp_path: Path) -> list[Callable[[], None]]:
    """Runs; then, for each state that a power cut can leave, a trial that runs again from it."""

    def act(root: Path) -> object:
        return run(request(root / "results", "toy", "plain"))

    moments = moments_of(tmp_path / "whole", act)
    wanted = numbers(tmp_path / "whole")

    def trial(place: int) -> None:
        root = tmp_path / f"cut{place}"
        rebuild(moments[place], root)
        act(root)
        assert numbers(root) == wanted, place
        assert not list(root.rglob("*.tmp")), place

    return [partial(trial, place) for place in range(len(moments))]


def trials_of_import(tmp_path: Path) -> list[Callable[[], None]]:
    """The same for an import that replaces another: one of the two is there at each moment."""
    old, new = (source_of(write_acm(tmp_path / name)) for name in ("src", "other"))

    def act(root: Path) -> None:
        write_store(old, root / "mine", FORM)
        write_store(new, root / "mine", FORM)

    moments = moments_of(tmp_path / "whole", act)
    wanted = content(tmp_path / "whole")
    first = next(place for place, tree in enumerate(moments) if "mine/index.json" in tree)

    def trial(place: int) -> None:
        root = tmp_path / f"cut{place}"
        rebuild(moments[place], root)
        there = is_store(root / "mine")
        assert there or place <= first + 1, "a store that was there is gone"
        if there:
            assert Store(root / "mine").truths
        write_store(new, root / "mine", FORM)
        assert content(root) == wanted, place

    return [partial(trial, place) for place in range(len(moments))]


@pytest.mark.parametrize(("trials_of", "number"), [(trials_of_run, FEW), (trials_of_import, 20)])
def test_work_goes_on_after_power_cuts(
    tmp_path: Path, trials_of: Callable[[Path], list[Callable[[], None]]], number: int
) -> None:
    trials = trials_of(tmp_path)
    assert len(trials) >= number
    for trial in trials[:: -(len(trials) // number)]:
        trial()


@pytest.mark.slow
@pytest.mark.parametrize("trials_of", [trials_of_run, trials_of_import])
def test_work_goes_on_after_every_power_cut(
    tmp_path: Path, trials_of: Callable[[Path], list[Callable[[], None]]]
) -> None:
    for trial in trials_of(tmp_path):
        trial()

"""The process in which a method learns holds features and labels, and no truth to be found."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from tests.data.made_up import write_acm
from tests.data.stores import write_store
from tests.running.test_processes import record
from tests.running.toys import numbers, request
from wsal_bench.errors import DataError
from wsal_bench.plugins.contract import Split, Step
from wsal_bench.running import learner
from wsal_bench.running.cells import RunRequest
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.lesson import Lesson
from wsal_bench.running.runner import preview, run
from wsal_bench.running.words import FaultError
from wsal_bench.types import Proposals, WeakVideo

FOLDER = """\
name: made-up
classes: [run, jump]
fps: 25
stride: 16
subsets: {train: train, test: test}
"""
NOWHERE = "a place that nothing is called after"


def simulated(tmp_path: Path) -> tuple[str, str]:
    return "simulated", NOWHERE


def lazy(tmp_path: Path) -> tuple[str, str]:
    return "lazy", NOWHERE


def folder(tmp_path: Path) -> tuple[str, str]:
    root = write_acm(tmp_path / "data" / "mine")
    (root / "dataset.yaml").write_text(FOLDER)
    return f"folder:{root}", str(root / "dataset.yaml")


def imported(tmp_path: Path) -> tuple[str, str]:
    lengths: dict[Split, tuple[int, ...]] = {"train": (30, 40), "test": (20, 25)}
    make = np.random.default_rng(0)
    root = write_store(
        tmp_path / "data" / "mine",
        lengths,
        lambda split, number, length: make.normal(size=(length, 4)).astype(np.float16),
        dim=4,
    )
    return "imported:mine", str(root / "truth")


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What a method that searches its process finds."""
    monkeypatch.setenv("WSAL_BENCH_DATA", str(tmp_path / "data"))

    def look(data: tuple[str, str], *, in_process: bool) -> list[str]:
        name, place = data
        order = request(tmp_path / "plan", "plain", datasets=(name,), quick=True)
        negatives = [-value for value in _boundaries(order)]
        sets = (f"seeker.negatives={negatives}", f"seeker.backwards={place[::-1]}")
        order = request(
            tmp_path / "runs",
            "seeker",
            datasets=(name,),
            quick=True,
            sets=sets,
            in_process=in_process,
        )
        (result,) = run(order)
        assert result.status == "ok", result.error
        assert record(result.directory)["isolated"] is not in_process
        things: list[str] = json.loads((Path(result.directory) / "found.json").read_text())
        return things

    return look


def _boundaries(order: RunRequest) -> list[float]:
    """A few that no other number is likely to equal."""
    (cell,) = preview(order).cells
    truth = Catalog().dataset(cell.spec.data).ground_truth("test")
    odd = [float(value) for value in (*truth.start, *truth.end) if value * 100 % 1]
    return odd[:20]


@pytest.mark.parametrize(
    "data",
    [
        imported,
        lazy,
        pytest.param(simulated, marks=pytest.mark.slow),
        pytest.param(folder, marks=pytest.mark.slow),
    ],
)
def test_a_method_that_searches_its_process_finds_no_truth(
    data: Callable[[Path], tuple[str, str]], found: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert found(data(tmp_path), in_process=False) == []


@pytest.mark.parametrize(
    ("data", "there"),
    [
        (imported, {"GroundTruth", "Dataset", "place of all data"}),
        pytest.param(lazy, {"Dataset"}, marks=pytest.mark.slow),
        pytest.param(simulated, {"Dataset", "a boundary"}, marks=pytest.mark.slow),
        pytest.param(folder, {"GroundTruth", "place of the truth"}, marks=pytest.mark.slow),
    ],
)
def test_in_the_process_of_the_command_it_finds_it(
    data: Callable[[Path], tuple[str, str]],
    there: set[str],
    found: Callable[..., list[str]],
    tmp_path: Path,
) -> None:
    assert there <= set(found(data(tmp_path), in_process=True))


def test_readers_that_know_too_much_stay_behind_and_give_the_same_numbers(tmp_path: Path) -> None:
    for name in ("own", "one"):
        order = request(tmp_path / name, "toy", datasets=("lazy",), in_process=name == "one")
        assert [result.status for result in run(order)] == ["ok"]
    assert numbers(tmp_path / "own") == numbers(tmp_path / "one")


def test_a_reader_that_fails_is_an_error_of_the_data(tmp_path: Path) -> None:
    order = request(tmp_path, "toy", datasets=("lazy",), sets=("lazy.nan=true",), in_process=False)
    with pytest.raises(DataError, match="OSError: the disk is gone"):
        run(order)


def test_a_lesson_names_no_data_set_and_no_place(tmp_path: Path) -> None:
    _, truth = imported(tmp_path)
    order = request(tmp_path, "plain", datasets=(f"imported:{tmp_path / 'data/mine'}",))
    (cell,) = preview(order).cells
    lesson, readers = Lesson.of(cell, Catalog().dataset(cell.spec.data), tmp_path, 0).to_send()
    sent = pickle.dumps(lesson)
    assert b"GroundTruth" not in sent
    assert truth.encode() not in sent
    assert not readers
    opened = pickle.loads(sent).received(lambda number, index: np.empty(0))
    (first, *_) = opened.videos["train"]
    assert isinstance(first, WeakVideo)
    assert not first.labels.flags.writeable
    assert not hasattr(opened.videos["test"][0], "labels")


def test_points_and_counts_are_for_methods_that_say_so(tmp_path: Path) -> None:
    (cell,) = preview(request(tmp_path, "plain")).cells
    dataset = Catalog().dataset(cell.spec.data)
    plain = dataset.videos("train")
    rich = [
        WeakVideo(
            one.video_id,
            one.features,
            one.grid,
            labels=np.ones(2, np.float32),
            points=np.ones((1, 2)),
            counts=np.ones(2, int),
        )
        for one in plain
    ]
    dataset.videos = lambda split: rich if split == "train" else []  # type: ignore[method-assign]
    kinds: tuple[Literal["video", "point", "count"], ...] = ("video", "point", "count")
    given = {}
    for kind in kinds:
        track = replace(cell.spec.track, supervision=kind)
        own = replace(cell, spec=replace(cell.spec, track=track))
        (video, *_) = Lesson.of(own, dataset, tmp_path, 0).videos["train"]
        assert isinstance(video, WeakVideo)
        given[kind] = (video.points is not None, video.counts is not None)
    assert given == {"video": (False, False), "point": (True, False), "count": (False, True)}


def test_what_the_process_of_a_method_says_runs_nothing_here() -> None:
    step = Step(0, 1, 2, {"loss": 0.5})
    odd = np.float32(0.5)  # a number of numpy's is read too
    proposals = Proposals(np.zeros(1), np.ones(1), np.zeros(1, int), np.ones(1))
    assert learner._read(pickle.dumps((step, odd))) == (step, odd)
    assert learner._read(pickle.dumps(proposals)).end.tolist() == [1.0]
    for bad in (pickle.dumps(print), pickle.dumps(Path), pickle.dumps(step)[:-3], b"x"):
        with pytest.raises(FaultError, match="said something that cannot be read"):
            learner._read(bad)

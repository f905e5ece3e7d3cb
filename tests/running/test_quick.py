"""Quick runs of data sets that have no small version of their own."""

from pathlib import Path

import pytest

from tests.running.toys import request
from wsal_bench import plugins
from wsal_bench.config import Found, Preset
from wsal_bench.running import resolution
from wsal_bench.running.cells import Cell
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.results import read_record
from wsal_bench.running.runner import run
from wsal_bench.running.specs import plan


@pytest.fixture
def quick_cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    kind = plugins.load("datasets", "tiny")
    monkeypatch.setattr(kind, "quick", None)
    order = request(Path("r"), "toy", quick=True, sets=("tiny.num_test=7",))
    (cell,) = plan(order)
    return cell


def test_there_are_two_epochs(quick_cell: Cell) -> None:
    assert quick_cell.spec.config["epochs"] == 2


def test_there_are_at_most_eight_and_four_videos_with_their_truth(quick_cell: Cell) -> None:
    dataset = Catalog().dataset(quick_cell.spec.data)
    names = [video.video_id for video in dataset.videos("test")]
    assert names == ["test0", "test1", "test2", "test3"]
    assert dataset.ground_truth("test").video_ids == tuple(names)
    assert len(dataset.videos("train")) == 6
    assert dataset.class_names == ("rise", "fall")


def test_a_quick_run_has_a_hash_of_its_own(quick_cell: Cell) -> None:
    whole = plan(request(Path("r"), "toy", sets=("tiny.num_test=7", "toy.epochs=2")))[0]
    assert whole.spec.config == quick_cell.spec.config
    assert whole.spec.hash != quick_cell.spec.hash


def test_two_hundred_steps_are_the_most_without_a_quick_preset() -> None:
    (cell,) = plan(request(Path("r"), "toy", quick=True))
    assert (cell.spec.config["epochs"], cell.spec.max_steps) == (6, 200)


def test_epochs_set_by_hand_are_not_cut_short() -> None:
    (cell,) = plan(request(Path("r"), "toy", quick=True, sets=("toy.epochs=900",)))
    assert (cell.spec.config["epochs"], cell.spec.max_steps) == (900, None)


def test_a_quick_preset_keeps_its_own_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins.load("datasets", "tiny"), "quick", None)
    quick = {"quick": Preset("quick", {"epochs": 9}, Found("author"))}
    monkeypatch.setattr(resolution, "read_presets", lambda path: quick)
    (cell,) = plan(request(Path("r"), "toy", quick=True))
    assert (cell.spec.config["epochs"], cell.spec.max_steps) == (9, None)


def test_a_quick_training_takes_its_steps_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolution, "QUICK_STEPS", 7)  # three batches an epoch
    (result,) = run(request(tmp_path, "toy", quick=True))
    record = read_record(Path(result.directory) / "record.json")
    assert record["history"]["steps"] == 7
    assert record["spec"]["max_steps"] == 7

"""The truth is locked for the whole process, not for the thread that asked for it."""

from threading import Thread

import pytest

from wsal_bench import plugins
from wsal_bench.api import Dataset, TruthLockedError, truth_locked
from wsal_bench.plugins.truth_lock import is_truth_locked


@pytest.fixture
def dataset() -> Dataset:
    kind: type[Dataset] = plugins.load("datasets", "simulated")
    return kind.open(None, kind.Config.model_validate(kind.quick), 0)


def test_another_thread_and_the_hidden_door_are_locked_too(dataset: Dataset) -> None:
    met: list[str] = []

    def ask() -> None:
        for door in (dataset.ground_truth, dataset._truth):
            try:
                door("test", "default")
            except TruthLockedError:
                met.append(door.__name__)

    with truth_locked():
        thread = Thread(target=ask)
        thread.start()
        thread.join()
    assert met == ["ground_truth", "_truth"]
    assert len(dataset._truth("test", "default")) > 0


def test_the_lock_ends_with_the_last_who_needs_it(dataset: Dataset) -> None:
    with truth_locked():
        with truth_locked():
            pass
        with pytest.raises(TruthLockedError):
            dataset.ground_truth("test")
    assert not is_truth_locked()

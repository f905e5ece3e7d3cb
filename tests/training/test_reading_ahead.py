"""Training that reads ahead in threads: the same weights, errors that arrive, no thread left."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.training.hooks import FEATURE_DIM, Accumulating, Tiny, Unsized, make, make_videos
from wsal_bench.api import Session, truth_locked
from wsal_bench.errors import DataError
from wsal_bench.plugins.truth_lock import is_truth_locked
from wsal_bench.training.hooks import Progress
from wsal_bench.training.loop import Interrupted, fit
from wsal_bench.training.reading import Buffers, read_ahead
from wsal_bench.training.sampling import DraftedEpoch, PairPolicy, pair_batches, shuffled_batches
from wsal_bench.types import Batch, Video, WeakVideo

WORKERS = (0, 1, 3)


class Watched:
    """Features that note who reads them, and may fail."""

    def __init__(self, inner: Any, *, fails_at: int = 0) -> None:
        self.inner, self.shape = inner, inner.shape
        self.fails_at = fails_at
        self.reads = 0
        self.threads: set[str] = set()
        self.locked: set[bool] = set()

    def __getitem__(self, index: Any, /) -> Any:
        self.reads += 1
        self.threads.add(threading.current_thread().name)
        self.locked.add(is_truth_locked())
        if self.reads == self.fails_at:
            raise DataError("the disk is gone", hint="plug it in")
        return self.inner[index]


def watched(fails_at: int = 0) -> tuple[list[WeakVideo], list[Watched]]:
    """The usual videos; those of the last one may fail."""
    plain = make_videos()
    features = [Watched(video.features) for video in plain]
    features[-1].fails_at = fails_at
    videos = [
        WeakVideo(video.video_id, one, video.grid, labels=video.labels)
        for video, one in zip(plain, features, strict=True)
    ]
    return videos, features


def readers() -> list[str]:
    """Threads of ours that are alive."""
    return [one.name for one in threading.enumerate() if one.name.startswith("wsal-bench-reading")]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert not readers()


def weights(kind: type[Tiny], **session: Any) -> list[Tensor]:
    return list(fit(make(kind), make_videos(), Session(**session)).network.parameters())


@pytest.mark.parametrize("kind", [Tiny, Accumulating])
def test_the_weights_do_not_depend_on_the_number_of_workers(kind: type[Tiny]) -> None:
    without, *others = (weights(kind, num_workers=workers) for workers in WORKERS)
    for other in others:
        assert all(map(torch.equal, without, other))


def contents(epoch: Any, workers: int) -> list[dict[str, Tensor]]:
    """All numbers of all batches, copied while each is valid by itself."""
    found = []
    for batch in read_ahead(iter(epoch.drafts), Buffers(), workers):
        named = {**vars(batch), **batch.extras}
        del named["extras"]
        found.append({name: value.clone() for name, value in named.items()})
    return found


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("pairs", [False, True])
def test_batches_and_draws_are_those_of_a_plain_walk(workers: int, pairs: bool) -> None:
    def epoch(generator: np.random.Generator) -> Any:
        if pairs:
            return pair_batches(make_videos(), generator, PairPolicy(3, num_snippets=6))
        return shuffled_batches(make_videos(), generator, batch_size=3, num_snippets=6)

    one, other = np.random.default_rng(5), np.random.default_rng(5)
    plain = list(epoch(one))  # all are held at once
    ahead = contents(epoch(other), workers)
    assert len(plain) == len(ahead)
    for batch, found in zip(plain, ahead, strict=True):
        for name, value in found.items():
            wanted = batch.extras[name] if name in batch.extras else getattr(batch, name)
            assert torch.equal(value, wanted)
    assert one.bit_generator.state == other.bit_generator.state


@pytest.mark.parametrize("workers", WORKERS)
def test_a_batch_that_somebody_keeps_stays_as_it_was(workers: int) -> None:
    epoch = shuffled_batches(
        make_videos(30), np.random.default_rng(0), batch_size=2, num_snippets=4
    )
    kept, copies = [], []
    for batch in read_ahead(iter(epoch.drafts), Buffers(), workers):
        kept.append(batch.features[0, 1:])  # a view of it is enough
        copies.append(batch.features[0, 1:].clone())
    assert all(map(torch.equal, kept, copies))
    assert len(kept) == 15


def test_padding_is_zero_in_memory_that_held_other_numbers() -> None:
    from wsal_bench.training.sampling import gather

    videos, buffers = make_videos(), Buffers(1)
    buffers.take(2, 9, FEATURE_DIM)[:] = 7  # given back at once
    batch = gather(videos, [0, 4], [np.arange(5), np.arange(9)], buffers)
    assert buffers.take(1).base is not None
    assert (batch.features[0, 5:] == 0).all()
    assert (batch.features[0, :5].numpy() == videos[0].features[:5]).all()


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_of_reading_arrives_in_the_loop_as_it_was(workers: int) -> None:
    videos, _ = watched(fails_at=2)
    with pytest.raises(DataError, match="the disk is gone") as caught:
        fit(make(Tiny), videos, Session(num_workers=workers))
    assert caught.value.hint == "plug it in"
    assert not readers()


@pytest.mark.parametrize("workers", [1, 3])
def test_features_are_read_in_threads_and_the_truth_is_locked_there(workers: int) -> None:
    videos, features = watched()
    with truth_locked():
        fit(make(Tiny), videos, Session(num_workers=workers))
    assert features[0].threads
    assert all(name.startswith("wsal-bench-reading") for name in features[0].threads)
    assert {locked for one in features for locked in one.locked} == {True}


@pytest.mark.parametrize("workers", WORKERS)
def test_a_stopped_training_goes_on_to_the_same_weights_with_other_workers(
    workers: int, tmp_path: Path
) -> None:
    for steps in (2, 3):
        countdown = iter([False] * (steps - 1) + [True])
        with pytest.raises(Interrupted):
            fit(
                make(Tiny),
                make_videos(),
                Session(tmp_path, stop=partial(next, countdown), num_workers=workers),
            )
        assert not readers()
    resumed = fit(make(Tiny), make_videos(), Session(tmp_path, num_workers=2 - min(workers, 2)))
    assert all(map(torch.equal, resumed.network.parameters(), weights(Tiny)))


class Cancelled(Tiny):
    """Somebody presses Ctrl-C in the second step."""

    def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        if progress.step == 1:
            raise KeyboardInterrupt
        return super().loss(outputs, batch, progress)


@pytest.mark.parametrize("workers", WORKERS)
def test_ctrl_c_ends_the_training_and_its_threads(workers: int) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(make(Cancelled), make_videos(), Session(num_workers=workers))
    assert not readers(), "while the traceback still holds the training"
    del caught


def test_batches_that_are_done_are_drawn_again_but_not_read_again(tmp_path: Path) -> None:
    countdown = iter([False, True])  # stop after 2 of 3 batches
    with pytest.raises(Interrupted):
        fit(make(Tiny, epochs=1), make_videos(), Session(tmp_path, stop=partial(next, countdown)))
    videos, features = watched()
    fit(make(Tiny, epochs=1), videos, Session(tmp_path))
    assert sum(one.reads for one in features) == 2  # the videos of the third batch


def test_a_method_that_makes_its_own_batches_is_told_that_nothing_is_read_ahead(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "wsal_bench"):
        read_alone = weights(Unsized, num_workers=2)
    assert [record.getMessage() for record in caplog.records] == [
        "no batch is read ahead: the method makes its batches by itself"
    ]
    assert all(map(torch.equal, read_alone, weights(Unsized)))


def test_a_walk_that_is_given_up_ends_its_threads() -> None:
    epoch: DraftedEpoch[Batch] = shuffled_batches(
        make_videos(), np.random.default_rng(0), batch_size=1, num_snippets=4
    )
    walk = read_ahead(iter(epoch.drafts), Buffers(), 2)
    next(walk)
    assert readers()
    walk.close()  # type: ignore[attr-defined]
    assert not readers()


def test_inference_sees_a_video_as_before() -> None:
    video = Video("v", make_videos()[3].features, make_videos()[3].grid)
    batch = make(Tiny).inference_batch(video)
    assert (batch.features[0].numpy() == video.features[np.arange(8)]).all()

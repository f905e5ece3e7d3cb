"""What W-TALC's golden files do not reach: its batches, its variant, and data that it refuses."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.methods.test_methods import TASK, VIDEOS, make, video
from wsal_bench.api import Session, Task
from wsal_bench.errors import UsageError
from wsal_bench.localization.recipe import recipe
from wsal_bench.training.hooks import Progress
from wsal_bench.types import Batch
from wsal_methods.w_talc import Method, WTALCConfig


def first_batch(**options: Any) -> Batch:
    method = make("w-talc", **options)
    return next(iter(method.batches(VIDEOS, np.random.default_rng(0), Progress())))


def test_pairs_come_first_and_videos_are_padded() -> None:
    batch = first_batch(batch_size=8, num_similar=3, num_snippets=25)
    assert (batch.labels[:6:2] == batch.labels[1:6:2]).all()
    stored = [VIDEOS[int(index)].num_snippets for index in batch.indices]
    assert batch.lengths.tolist() == [min(num, 25) for num in stored]


def test_as_many_pairs_as_fit_into_a_batch() -> None:
    batch = first_batch(batch_size=5, num_similar=9)
    assert len(batch) == 5
    assert (batch.labels[:4:2] == batch.labels[1:4:2]).all()


def test_without_co_activity_the_batches_stay_and_the_term_goes() -> None:
    assert torch.equal(first_batch().features, first_batch(**Method.variants["mil"]).features)
    method = make("w-talc", **Method.variants["mil"])
    batch = first_batch()
    assert set(method.loss(method.forward(method.network(), batch), batch, Progress())) == {"mil"}


def test_rows_of_zeros_inside_a_video_do_not_cut_its_end() -> None:
    method = make("w-talc", epochs=1)
    method.fit(VIDEOS, Session())
    shown = video(3, 0, 18)
    features = np.array(shown.features)
    features[4:6] = 0
    found = method.activations(replace(shown, features=features))
    assert found.scores["logits"].shape == (18, 3)


def test_the_recipe_is_w_talcs_and_a_changed_one_says_so() -> None:
    assert make("w-talc").recipe == recipe("wtalc")
    changed = make("w-talc", cut=0.3, class_threshold=0.1).recipe
    assert (changed.name, changed.classes.threshold) == ("wtalc-adjusted", 0.1)
    assert changed.lists[0].thresholds == (0.3,)


def test_one_class_is_refused_before_training() -> None:
    with pytest.raises(UsageError, match="needs at least 2; the data has 1: only"):
        Method(WTALCConfig(), Task(TASK.feature_dim, ("only",)))


def test_the_published_length_is_a_hundred_thousand_steps() -> None:
    assert WTALCConfig().epochs * -(-200 // WTALCConfig().batch_size) == 100_000

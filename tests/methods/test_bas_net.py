"""What BaS-Net's golden files do not reach: its variants, and test videos of another length."""

import pytest
import torch

from tests.methods.test_methods import VIDEOS, make, video
from wsal_bench.api import Session
from wsal_bench.training.hooks import Progress
from wsal_bench.training.positions import uniform_indices
from wsal_bench.training.sampling import collate
from wsal_methods.bas_net import BaSNetConfig, Method


@pytest.mark.parametrize(
    ("form", "terms"),
    [
        ("full", {"base", "suppressed", "sparsity"}),
        ("base", {"base"}),
        ("dense", {"base", "suppressed"}),
    ],
)
def test_a_variant_computes_its_own_terms_only(form: str, terms: set[str]) -> None:
    method = make("bas-net", **Method.variants[form])
    batch = collate(VIDEOS, [0, 1, 2], lambda num: uniform_indices(num, 12))
    outputs = method.forward(method.network(), batch)
    assert set(method.loss(outputs, batch, Progress())) == terms


def test_without_suppression_the_base_branch_localises() -> None:
    method = make("bas-net", epochs=1, **Method.variants["base"])
    method.fit(VIDEOS, Session())
    shown = video(99, 0, 20)
    found = method.activations(shown)
    outputs = method.trained(method.inference_batch(shown).features)
    assert outputs.suppressed is None
    torch.testing.assert_close(
        torch.from_numpy(found.scores["cas"]), outputs.base.logits[0, :, :-1].detach()
    )


@pytest.mark.parametrize(("stored", "most"), [(7, 750), (53, 750), (53, 9)])
def test_a_test_video_has_as_many_snippets_as_a_training_video(stored: int, most: int) -> None:
    method = make("bas-net", num_snippets=20, max_test_snippets=most)
    batch = method.inference_batch(video(1, 0, stored))
    wanted = min(20, most)
    expected = [place * stored // wanted for place in range(wanted)]
    assert batch.extras["snippets"][0].tolist() == expected


def test_the_published_length_is_fifteen_hundred_steps_to_the_nearest_epoch() -> None:
    assert BaSNetConfig().epochs == round(1500 / 13)

"""UM, CoLA and HAM-Net where their published code is undefined, and what their controls change."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from wsal_bench.api import Batch, Progress, Task, TrainableMethod, UsageError
from wsal_bench.config import Layer, build
from wsal_bench.localization import localize
from wsal_methods import cola, ham_net, um

METHODS: dict[str, Any] = {"um": um.Method, "cola": cola.Method, "ham-net": ham_net.Method}
SMALL: dict[str, dict[str, Any]] = {
    "um": {"cas_hidden": 8},
    "cola": {"cas_hidden": 8},
    "ham-net": {"attention_hidden": 4},
}
TASK = Task(6, ("a", "b", "c"))


def make(name: str, **options: Any) -> TrainableMethod:
    kind = METHODS[name]
    made: TrainableMethod = kind(kind.Config(**{**SMALL[name], **options}), TASK)
    return made


def batch_of(num_snippets: int, *, value: float | None = None) -> Batch:
    torch.manual_seed(3)
    features = torch.rand(4, num_snippets, 6)
    return Batch(
        features=features if value is None else torch.full_like(features, value),
        lengths=torch.full((4,), num_snippets),
        labels=torch.eye(3)[[0, 1, 2, 0]],
        times=torch.arange(num_snippets + 1.0, dtype=torch.float64).repeat(4, 1),
        indices=torch.arange(4),
    )


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("num_snippets", [1, 2, 4, 8])
@pytest.mark.parametrize("value", [None, 0.0])
def test_short_and_empty_videos_give_finite_losses_and_gradients(
    name: str, num_snippets: int, value: float | None
) -> None:
    # published: NaN below 9 snippets (UM), 5 or 20 (CoLA)
    method = make(name)
    network, batch = method.network(), batch_of(num_snippets, value=value)
    terms = method.loss(method.forward(network, batch), batch, Progress())
    total: Tensor = torch.stack(list(terms.values())).sum()
    total.backward()  # type: ignore[no-untyped-call]
    assert total.isfinite()
    for parameter in network.parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all()


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("num_snippets", [1, 4])
def test_short_videos_can_be_cut(name: str, num_snippets: int) -> None:
    method = make(name)
    network, batch = method.network().eval(), batch_of(num_snippets)
    one = Batch(**{name: value[:1] for name, value in vars(batch).items() if name != "extras"})
    found = method.describe(method.forward(network, one), one)
    assert len(found.times) == num_snippets + 1
    assert all(np.isfinite(value).all() for value in found.scores.values())
    assert np.isfinite(found.video_scores).all()
    localize(found, method.recipe)


def test_of_equal_snippets_the_earlier_ones_are_taken() -> None:
    features = torch.ones(1, 12, 2)
    config = um.UMConfig(action_ratio=4, background_ratio=6)
    found = um.um_outputs(features, torch.zeros(1, 12, 3), torch.ones(1, 12), config)
    assert found.action.tolist() == [[0, 1, 2]]
    assert found.background.tolist() == [[0, 1]]


def test_a_hard_set_is_filled_with_the_earliest_snippets_outside_of_its_region() -> None:
    # one run of 9 above the median: its inner region is 5 left, 6, 12, 13 less 6's erosion
    cas = torch.zeros(1, 20, 1)
    cas[0, 4:13, 0] = torch.tensor([1.0, 2, 3, 4, 5, 6, 7, 8, 9])
    config = cola.CoLAConfig(hard_ratio=4, easy_ratio=5)
    chosen = cola.cola_outputs(cas, cas, torch.ones(1, 20), config).chosen
    # eroded by 3: 5 to 11, by 6: 7 to 10; snippets 11, 6, 5 by falling actionness, then 0 and 1
    assert chosen.hard_action.tolist() == [[11, 6, 5, 0, 1]]
    # all that lies outside of the run has actionness 0
    assert chosen.hard_background.tolist() == [[0, 1, 2, 3, 4]]


def test_a_permuted_magnitude_moves_the_choice_in_training_alone() -> None:
    batch = batch_of(40)
    for permuted in (False, True):
        method = make("um", permute_magnitude=permuted, mask_dropout=0.0, dropout=0.0)
        torch.manual_seed(0)
        network = method.network()
        trained = method.forward(network.train(), batch)
        tested = method.forward(network.eval(), batch)
        assert torch.equal(trained.action, tested.action) is not permuted
        assert torch.equal(trained.video_scores, tested.video_scores)


def test_random_hard_snippets_are_drawn_among_all() -> None:
    config = cola.CoLAConfig(random_hard=True, hard_ratio=1)
    torch.manual_seed(0)
    cas = torch.zeros(2, 30, 3)
    chosen = cola.cola_outputs(cas, cas, torch.ones(2, 30), config).chosen
    assert chosen.hard_action.sort(1).values.tolist() == [list(range(30))] * 2
    assert not torch.equal(chosen.hard_action[0], chosen.hard_action[1])
    assert not torch.equal(chosen.hard_action, chosen.hard_background)


TERMS = {
    "um": {
        "full": "video magnitude entropy",
        "no-magnitude": "video entropy",
        "no-entropy": "video magnitude",
        "plain": "video",
        "permuted": "video magnitude entropy",
    },
    "cola": {
        "full": "video hard_action hard_background",
        "no-contrast": "video",
        "random-hard": "video hard_action hard_background",
    },
    "ham-net": {
        "full": "bcl hal sal ssal sparsity guide",
        "no-bcl": "hal sal ssal sparsity guide",
        "no-hal": "bcl sal ssal sparsity guide",
        "no-sal": "bcl hal ssal sparsity guide",
        "no-ssal": "bcl hal sal sparsity guide",
        "plain": "sal sparsity guide",
    },
}


@pytest.mark.parametrize("name", METHODS)
def test_a_form_computes_its_own_terms_only(name: str) -> None:
    kind = METHODS[name]
    forms = {**kind.variants, **kind.controls}
    assert set(forms) == set(TERMS[name])
    for form, changes in forms.items():
        method = make(name, **changes)
        batch = batch_of(20)
        terms = method.loss(method.forward(method.network(), batch), batch, Progress())
        assert set(terms) == set(TERMS[name][form].split())


@pytest.mark.parametrize("name", ["um", "cola"])
def test_one_class_only_is_refused(name: str) -> None:
    kind = METHODS[name]
    with pytest.raises(UsageError, match="needs at least 2; the data has 1: jump"):
        kind(kind.Config(), Task(6, ("jump",)))


@pytest.mark.parametrize(
    ("name", "option"),
    [("cola", "kernel"), ("cola", "smoothing_kernel"), ("ham-net", "smoothing")],
)
def test_a_filter_of_even_width_is_refused(name: str, option: str) -> None:
    layer = Layer("--set", {option: 4})
    with pytest.raises(UsageError, match=rf"{name}.{option} = 4 \(--set\).*must be odd"):
        build(METHODS[name].Config, [layer], owner=name)

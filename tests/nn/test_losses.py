import math

import pytest
import torch

from wsal_bench.nn import (
    attention_mass,
    contrast,
    feature_norm_loss,
    guide_loss,
    label_binary_cross_entropy,
    label_cross_entropy,
    logit_cross_entropy,
    normalised_labels,
    with_background,
)


def test_background_is_the_last_column() -> None:
    labels = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert with_background(labels, 1).tolist() == [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]


def test_cross_entropy_shares_a_video_among_its_labels() -> None:
    probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]])
    labels = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    expected = (0.5 * (math.log(2) + math.log(4)) + math.log(2)) / 2
    assert label_cross_entropy(probabilities, labels).item() == pytest.approx(expected)


def test_cross_entropy_of_no_label_is_zero_and_of_probability_zero_is_finite() -> None:
    probabilities = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    assert label_cross_entropy(probabilities, torch.zeros(1, 2)).item() == 0
    sure = label_cross_entropy(probabilities, torch.tensor([[0.0, 1.0]]))
    assert sure.item() == pytest.approx(10 * math.log(10))


def test_the_guide_sums_over_time_and_spares_the_attention() -> None:
    background = torch.tensor([[0.2, 0.9], [1.0, 0.0]], requires_grad=True)
    attention = torch.tensor([[0.5, 0.1], [0.0, 1.0]], requires_grad=True)
    loss = guide_loss(background, attention)
    assert loss.item() == pytest.approx(0.3 / 2)  # only snippet 0 of video 0 is off, by 0.3
    to_background, to_attention = torch.autograd.grad(
        loss, (background, attention), allow_unused=True
    )
    assert to_background.abs().sum() > 0
    assert to_attention is None


def test_attention_mass_counts_snippets() -> None:
    assert attention_mass(torch.tensor([[1.0, 0.5], [0.0, 0.5]])).item() == 1.0


def test_features_at_their_margins_cost_nothing_but_the_background() -> None:
    loss = feature_norm_loss(
        torch.tensor([[0.0, 25.0]]),
        torch.tensor([[15.0, 0.0]]),
        torch.tensor([[3.0, 4.0]]),
        margin=10,
    )
    assert loss.item() == 25.0  # |b| = 5, squared
    short = feature_norm_loss(
        torch.tensor([[0.0, 1.0]]), torch.tensor([[2.0, 0.0]]), torch.zeros(1, 2), margin=10
    )
    assert short.item() == (11 + 8) ** 2


def test_features_of_zero_length_have_finite_gradients() -> None:
    features = torch.zeros(1, 4, requires_grad=True)
    loss = feature_norm_loss(features, features, features, margin=1)
    (gradient,) = torch.autograd.grad(loss, features)
    assert torch.isfinite(gradient).all()


def test_contrast_is_the_mean_of_the_others_minus_that_of_the_similar() -> None:
    scores = torch.tensor([1.0, 5.0, 3.0, 4.0], requires_grad=True)
    loss = contrast(scores, torch.tensor([True, False, True, False]))
    assert loss.item() == pytest.approx(4.5 - 2.0)
    (gradient,) = torch.autograd.grad(loss, scores)
    assert gradient.tolist() == pytest.approx([-0.5, 0.5, -0.5, 0.5])


@pytest.mark.parametrize(("similar", "expected"), [(True, -2.0), (False, 2.0)])
def test_a_kind_without_pairs_counts_as_zero(similar: bool, expected: float) -> None:
    assert contrast(torch.tensor([1.0, 3.0]), torch.tensor([similar] * 2)).item() == expected


def test_labels_are_shares_of_a_video() -> None:
    labels = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert normalised_labels(labels).tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    assert normalised_labels(labels, eps=2.0).tolist() == [[0.25, 0.25, 0.0], [0.0, 0.0, 0.0]]


def test_cross_entropy_of_logits_is_that_of_their_softmax() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]], dtype=torch.float64)
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], dtype=torch.float64)
    plain = label_cross_entropy(logits.softmax(1), labels, eps=0)
    assert logit_cross_entropy(logits, labels).item() == pytest.approx(plain.item(), rel=1e-12)
    less = logit_cross_entropy(logits[1:], labels[1:], label_eps=1.0)
    whole = logit_cross_entropy(logits[1:], labels[1:])
    assert less.item() == pytest.approx(whole.item() / 2, rel=1e-12)
    assert torch.isfinite(logit_cross_entropy(torch.tensor([[0.0, 1e4]]), torch.eye(2)[:1]))


def test_binary_cross_entropy_is_torchs() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 5, generator=generator, dtype=torch.float64).requires_grad_()
    targets = torch.rand(4, 5, generator=generator, dtype=torch.float64)
    ours = label_binary_cross_entropy(logits.softmax(1), targets)
    theirs = torch.nn.functional.binary_cross_entropy(logits.softmax(1), targets)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-12)
    (mine,), (published,) = (torch.autograd.grad(loss, logits) for loss in (ours, theirs))
    torch.testing.assert_close(mine, published, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_binary_cross_entropy_of_sure_and_wrong_is_finite(dtype: torch.dtype) -> None:
    logits = torch.tensor([[0.0, 2000.0]], dtype=dtype, requires_grad=True)
    loss = label_binary_cross_entropy(logits.softmax(1), torch.tensor([[1.0, 0.0]], dtype=dtype))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.isfinite(loss) and torch.isfinite(gradient).all()
    # a logarithm stops at -100, or where the numbers of its kind do
    assert loss.item() == pytest.approx(100 if dtype == torch.float64 else 87.34, abs=0.01)

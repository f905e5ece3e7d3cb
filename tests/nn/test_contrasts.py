import math

import pytest
import torch

from wsal_bench.nn import coactivity_loss, info_nce, unit


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_unit_vector_has_length_one_and_zeros_stay_zeros() -> None:
    vectors = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    found = unit(vectors, 1)
    assert found.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]
    (gradient,) = torch.autograd.grad(found.sum(), vectors)
    assert torch.isfinite(gradient).all()


def test_info_nce_tells_the_positive_from_each_negative() -> None:
    query, positive = torch.tensor([[2.0, 0.0]]), torch.tensor([[5.0, 0.0]])
    negatives = torch.tensor([[[0.0, 1.0], [0.0, -3.0]]])
    loss = info_nce(query, positive, negatives, temperature=0.5)
    assert loss.item() == pytest.approx(math.log(1 + 2 * math.exp(-2)))
    wrong = info_nce(query, -positive, negatives, temperature=0.5)
    assert wrong.item() == pytest.approx(math.log(math.exp(-2) + 2) + 2)


def test_all_three_of_info_nce_get_gradients() -> None:
    parts = [random(3, 4), random(3, 4, seed=1), random(3, 5, 4, seed=2)]
    for part in parts:
        part.requires_grad_()
    for gradient in torch.autograd.grad(info_nce(*parts, temperature=0.07), parts):
        assert gradient.abs().sum() > 0


def written_out(
    features: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor, lengths: list[int]
) -> float:
    """Co-activity similarity, pair by pair and class by class."""
    parts, count = 0.0, 0
    for first in range(0, len(features), 2):
        for label in range(labels.shape[1]):
            if not labels[first, label] * labels[first + 1, label]:
                continue
            high, low = [], []
            for row in (first, first + 1):
                real = slice(0, lengths[row])
                share = logits[row, real, label].softmax(0)
                high.append(features[row, real].T @ share)
                low.append(features[row, real].T @ (1 - share) / max(lengths[row] - 1, 1))
            near = 1 - torch.cosine_similarity(high[0], high[1], 0)
            for other in ((high[0], low[1]), (low[0], high[1])):
                far = 1 - torch.cosine_similarity(*other, 0)
                parts += 0.5 * max(float(near - far) + 0.5, 0)
            count += 1
    return parts / max(count, 1)


@pytest.mark.parametrize("lengths", [[6, 6, 6, 6], [6, 4, 1, 5]])
def test_co_activity_is_the_sum_that_the_paper_writes(lengths: list[int]) -> None:
    features, logits = random(4, 6, 5).relu(), 3 * random(4, 6, 3, seed=1)
    labels = torch.tensor([[1, 1, 0], [1, 1, 1], [0, 1, 0], [0, 1, 0]], dtype=torch.float64)
    found = coactivity_loss(features, logits, labels, lengths=torch.tensor(lengths))
    assert found.item() == pytest.approx(written_out(features, logits, labels, lengths), rel=1e-12)
    if lengths == [6] * 4:
        assert coactivity_loss(features, logits, labels).item() == pytest.approx(found.item())


def test_padding_does_not_count() -> None:
    features, logits, labels = random(2, 6, 5), random(2, 6, 3, seed=1), torch.ones(2, 3)
    lengths = torch.tensor([4, 3])
    once = coactivity_loss(features, logits, labels, lengths=lengths)
    for row, length in enumerate(lengths.tolist()):
        features[row, length:], logits[row, length:] = 99.0, 99.0
    assert coactivity_loss(features, logits, labels, lengths=lengths).item() == once.item()


def test_no_shared_class_and_features_of_zeros_are_finite() -> None:
    features = torch.zeros(2, 4, 3, requires_grad=True)
    logits = random(2, 4, 2).float().requires_grad_()
    nothing = coactivity_loss(features, logits, torch.eye(2))
    assert nothing.item() == 0
    loss = coactivity_loss(features, logits, torch.ones(2, 2))
    assert loss.item() == 0.5  # cosines of 0 leave the margin
    for gradient in torch.autograd.grad(loss, (features, logits)):
        assert torch.isfinite(gradient).all()

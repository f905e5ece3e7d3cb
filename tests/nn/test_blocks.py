from typing import Literal

import pytest
import torch
from torch import nn

from wsal_bench.nn import (
    ConvEmbedding,
    SnippetDropout,
    SnippetMask,
    above_lowest,
    attended_mean,
    gather_snippets,
    initialise,
    num_kept,
    padded_topk_mean,
    real_snippets,
    strongest,
    topk_mean,
    weakest,
)


def test_an_embedding_sees_its_neighbours_and_keeps_the_length() -> None:
    layer = ConvEmbedding(1, 1)
    weight, bias = torch.tensor([[[1.0, 10.0, 100.0]]]), torch.tensor([-20.0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    out = layer(torch.tensor([[[1.0], [2.0], [3.0]]]))
    # 10 + 200, 1 + 20 + 300, 2 + 30, each less 20
    assert out[0, :, 0].tolist() == [190.0, 301.0, 12.0]
    assert (layer(torch.zeros(1, 3, 1)) == 0).all()


def test_an_embedding_of_even_width_is_refused() -> None:
    with pytest.raises(ValueError, match="width must be odd, not 4"):
        ConvEmbedding(2, 2, width=4)


def test_snippet_dropout_drops_whole_snippets_and_scales_the_rest() -> None:
    torch.manual_seed(0)
    out = SnippetDropout(0.75)(torch.ones(4, 50, 3))
    assert torch.unique(out).tolist() == [0.0, 4.0]
    assert (out == out[..., :1]).all()
    assert 0 < (out[..., 0] > 0).float().mean() < 0.5


def test_snippet_dropout_does_nothing_in_eval_mode() -> None:
    features = torch.randn(2, 5, 3)
    assert SnippetDropout(0.7).eval()(features) is features


@pytest.mark.parametrize(("num", "ratio", "kept"), [(750, 8, 93), (16, 8, 2), (7, 8, 1), (1, 1, 1)])
def test_top_k_keeps_one_snippet_in_ratio_but_at_least_one(num: int, ratio: int, kept: int) -> None:
    assert num_kept(num, ratio) == kept


def test_top_k_mean_takes_each_class_by_itself() -> None:
    scores = torch.tensor([[[1.0, 8.0], [5.0, 2.0], [3.0, 4.0]]])
    assert topk_mean(scores, 2).tolist() == [[4.0, 6.0]]


def test_snippets_are_gathered_per_video() -> None:
    features = torch.arange(12.0).reshape(2, 3, 2)
    picked = gather_snippets(features, torch.tensor([[2, 0], [1, 1]]))
    assert picked.tolist() == [[[4.0, 5.0], [0.0, 1.0]], [[8.0, 9.0], [8.0, 9.0]]]


def test_the_attended_mean_gives_the_attention_no_gradient() -> None:
    features = torch.tensor([[[1.0], [2.0], [6.0]]], requires_grad=True)
    attention = torch.tensor([[0.9, 0.1, 0.5]], requires_grad=True)
    mean = attended_mean(features, attention, 2)
    assert mean.tolist() == [[3.5]]
    (to_attention,) = torch.autograd.grad(
        mean.sum(), attention, allow_unused=True, retain_graph=True
    )
    assert to_attention is None
    (gradient,) = torch.autograd.grad(mean.sum(), features)
    assert gradient[0, :, 0].tolist() == [0.5, 0.0, 0.5]


def test_a_leaky_embedding_lets_a_share_of_the_negative_through() -> None:
    plain, leaky = ConvEmbedding(1, 1, width=1), ConvEmbedding(1, 1, width=1, slope=0.2)
    weights = {"weight": torch.ones(1, 1, 1), "bias": torch.zeros(1)}
    features = torch.tensor([[[5.0], [-5.0]]])
    for layer, below in ((plain, 0.0), (leaky, -1.0)):
        layer.load_state_dict(weights)
        assert layer(features).flatten().tolist() == [5.0, below]


def test_a_snippet_mask_is_ones_in_eval_mode_and_what_dropout_multiplies_by_in_training() -> None:
    mask, dropout = SnippetMask(0.75), SnippetDropout(0.75)
    features = torch.ones(4, 50, 3)
    torch.manual_seed(0)
    found = mask(features)
    torch.manual_seed(0)
    assert torch.equal(dropout(features), features * found[..., None])
    assert torch.unique(found).tolist() == [0.0, 4.0]
    assert torch.equal(mask.eval()(features), torch.ones(4, 50))


@pytest.mark.parametrize(("scheme", "bound"), [("xavier", 6 / 40), ("kaiming", 6 / 30)])
def test_weights_are_drawn_within_the_schemes_bound(
    scheme: Literal["xavier", "kaiming"], bound: float
) -> None:
    linear, convolution = nn.Linear(30, 10), nn.Conv1d(10, 10, 3, bias=False)
    torch.manual_seed(0)
    initialise(nn.Sequential(linear, nn.ReLU(), convolution), scheme)
    assert 0.9 < linear.weight.abs().max() / bound**0.5 <= 1
    assert (linear.bias == 0).all()
    wide = {"xavier": 6 / 60, "kaiming": 6 / 30}[scheme]
    assert 0.9 < convolution.weight.abs().max() / wide**0.5 <= 1


def test_padded_top_k_rounds_up_and_sees_no_padding() -> None:
    scores = torch.tensor([[1.0, 4.0, 2.0, 9.0, 9.0], [3.0, 1.0, 2.0, 5.0, 4.0]])[..., None]
    lengths = torch.tensor([3, 5])
    found = padded_topk_mean(scores.requires_grad_(), lengths, 2)
    assert found.flatten().tolist() == [3.0, 4.0]  # 2 of 3 and 3 of 5
    (gradient,) = torch.autograd.grad(found.sum(), scores)
    assert gradient[0, :, 0].tolist() == [0.0, 0.5, 0.5, 0.0, 0.0]
    assert real_snippets(scores, lengths).sum(1).tolist() == [3, 5]


def test_the_strongest_come_first_and_of_equal_ones_the_earlier() -> None:
    values = torch.tensor([[2.0, 7.0, 7.0, 1.0, 2.0]])
    assert strongest(values, 4).tolist() == [[1, 2, 0, 4]]
    assert weakest(values, 3).tolist() == [[3, 0, 4]]
    many = torch.zeros(1, 1000)
    assert strongest(many, 5).tolist() == [[0, 1, 2, 3, 4]]


def test_a_masked_snippet_is_as_little_background_as_the_strongest() -> None:
    values = torch.tensor([[2.0, 7.0, 1.0, 5.0]])
    mask = torch.tensor([[0.0, 2.0, 0.0, 2.0]])
    assert weakest(values, 3, mask).tolist() == [[3, 0, 1]]


def test_attention_lowers_scores_to_the_lowest_class() -> None:
    scores = torch.tensor([[[3.0, -1.0], [2.0, 4.0]]])
    found = above_lowest(scores, torch.tensor([[0.5, 0.0]]))
    assert found.tolist() == [[[1.0, -1.0], [2.0, 2.0]]]

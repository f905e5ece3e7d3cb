import pytest
import torch

from wsal_bench.nn import (
    ConvEmbedding,
    SnippetDropout,
    attended_mean,
    gather_snippets,
    num_kept,
    topk_mean,
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

"""FTCL and ACM-Net against numbers of the authors' published code, in float64."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsal_bench.api import Task
from wsal_bench.training.hooks import Progress
from wsal_bench.types import PairBatch
from wsal_methods import acm_net, ftcl

GOLDEN = Path(__file__).parents[1] / "golden" / "ftcl_model.npz"
TOLERANCE = 1e-8
Golden = dict[str, NDArray[np.float64]]
PARAMETERS = {
    "backbone.embedding": "feature_embedding.0",
    "backbone.attention": "att_branch",
    "backbone.classifier": "snippet_cls",
    "projection": "feature_trans",
}
SIZES = {"lcs_length": 6, "fsd_length": 4, "fsd_dim": 6}
LOSSES: dict[str, dict[str, float]] = {
    "full": {},
    "fsd_only": {"lcs_weight": 0.0},
    "lcs_only": {"fsd_weight": 0.0},
    "acm": {"fsd_weight": 0.0, "lcs_weight": 0.0},
}


@pytest.fixture(scope="module")
def golden() -> Golden:
    with np.load(GOLDEN) as content:
        return dict(content)


def published_name(name: str) -> str:
    module, _, kind = name.rpartition(".")
    return f"{PARAMETERS[module]}.{kind}"


def method_and_network(golden: Golden, **options: Any) -> tuple[ftcl.Method, ftcl.FTCLNetwork]:
    config = ftcl.Method.Config(**SIZES, **options)
    task = Task(feature_dim=8, class_names=("a", "b", "c", "d"))
    method = ftcl.Method(config, task)
    network = method.network().double().eval()
    state = {
        name: torch.from_numpy(golden[f"param_{published_name(name)}"]).reshape(value.shape)
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(state)
    return method, network


@pytest.fixture
def batch(golden: Golden) -> PairBatch:
    labels = torch.from_numpy(np.concatenate([golden["y0"], golden["y1"]]))
    features = torch.from_numpy(np.concatenate([golden["x0"], golden["x1"]]))
    return PairBatch(
        features=features,
        lengths=torch.full((6,), 40),
        labels=labels,
        times=torch.arange(41.0, dtype=torch.float64).repeat(6, 1),
        indices=torch.arange(6),
        first=torch.arange(3),
        second=torch.arange(3, 6),
        similar=(labels[:3] * labels[3:]).sum(1) > 0,
    )


def total(terms: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(terms.values())).sum()


def named_outputs(outputs: ftcl.FTCLOutputs) -> dict[str, Tensor]:
    acm, candidates = outputs.acm, outputs.candidates
    assert candidates is not None
    branches = {"inst": acm.instance, "cont": acm.context, "back": acm.background}
    named = {
        "attention": torch.stack([branch.attention for branch in branches.values()], dim=2),
        "cas": acm.logits.softmax(2),
        "lcs_candidates": candidates.common,
        "fsd_action_candidates": candidates.action,
        "fsd_background_candidates": candidates.background,
    }
    for name, branch in branches.items():
        named[f"{name}_cls"] = branch.video_scores
        named[f"{name}_feat"] = branch.feature
        named[f"{name}_cas"] = branch.cas
    return named


def test_every_output_agrees(golden: Golden, batch: PairBatch) -> None:
    method, network = method_and_network(golden)
    named = named_outputs(method.forward(network, batch))
    published = {name[5:] for name in golden if name.startswith("out0_")}
    assert named.keys() == published
    for name, value in named.items():
        both = np.concatenate([golden[f"out0_{name}"], golden[f"out1_{name}"]])
        np.testing.assert_allclose(value.detach(), both, rtol=0, atol=TOLERANCE, err_msg=name)


@pytest.mark.parametrize("case", LOSSES)
def test_every_loss_part_agrees(golden: Golden, batch: PairBatch, case: str) -> None:
    method, network = method_and_network(golden, **LOSSES[case])
    terms = method.loss(method.forward(network, batch), batch, Progress())
    parts = {
        "total": total(terms),
        "act_inst_loss": terms["instance"],
        "act_cont_loss": terms["context"],
        "act_back_loss": terms["background"],
        "guide_loss": terms["guide"] / 2e-3,
        "feat_loss": terms["feature"] / 5e-5,
        "sparse_loss": terms["sparsity"] / 2e-4,
        "acm_loss": total({name: terms[name] for name in terms.keys() - {"fsd", "lcs"}}),
        "lcs_loss": terms.get("lcs", torch.tensor(0.0)),
        "fsd_loss": terms.get("fsd", torch.tensor(0.0)),
    }
    published = {
        name.removeprefix(f"loss_{case}_")
        for name in golden
        if name.startswith(f"loss_{case}_") and "_grad_" not in name
    }
    assert parts.keys() == published
    for name, value in parts.items():
        expected = float(golden[f"loss_{case}_{name}"])
        assert value.item() == pytest.approx(expected, rel=1e-12, abs=TOLERANCE), name


@pytest.mark.parametrize("case", LOSSES)
def test_the_gradient_of_every_parameter_agrees(
    golden: Golden, batch: PairBatch, case: str
) -> None:
    method, network = method_and_network(golden, **LOSSES[case])
    terms = method.loss(method.forward(network, batch), batch, Progress())
    total(terms).backward()  # type: ignore[no-untyped-call]
    compared = 0
    for name, parameter in network.named_parameters():
        expected = golden[f"loss_{case}_grad_{published_name(name)}"].reshape(parameter.shape)
        found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE, err_msg=name)
        compared += 1
    assert compared == 8


def test_acm_net_by_itself_gives_the_same_loss(golden: Golden, batch: PairBatch) -> None:
    parent = acm_net.Method(acm_net.Method.Config(), Task(8, ("a", "b", "c", "d")))
    network = parent.network().double().eval()
    state = {
        name: torch.from_numpy(golden[f"param_{published_name('backbone.' + name)}"]).reshape(
            value.shape
        )
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(state)
    terms = parent.loss(parent.forward(network, batch), batch, Progress())
    expected = float(golden["loss_acm_total"])
    assert total(terms).item() == pytest.approx(expected, abs=TOLERANCE)

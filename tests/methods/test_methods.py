"""Every method of ours, trained for a few steps on a small made-up data set."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from wsal_bench.api import Parent, Session, Task, epochs_of, protocol
from wsal_bench.config import build, read_presets
from wsal_bench.errors import DataError, UsageError
from wsal_bench.localization.recipe import ACM, COMMON, recipe
from wsal_bench.timegrid import TimeGrid
from wsal_bench.training.hooks import Progress
from wsal_bench.training.loop import fit
from wsal_bench.training.sampling import PairPolicy, pair_batches
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import Video, WeakVideo
from wsal_methods import acm_net, attention_mil, bas_net, cola, ftcl, ham_net, mil, um, w_talc

METHODS = {
    "mil": mil,
    "attention-mil": attention_mil,
    "acm-net": acm_net,
    "ftcl": ftcl,
    "w-talc": w_talc,
    "bas-net": bas_net,
    "um": um,
    "cola": cola,
    "ham-net": ham_net,
}
FORCED = {"bas-net"}  # a test video always has as many snippets as a training video
FTCL_FORMS = {**ftcl.Method.variants, **ftcl.Method.controls}
SHORT: dict[str, Any] = {"num_snippets": 20, "batch_size": 4, "learning_rate": 1e-2}
NARROW = {
    "cas_hidden": 16,
    "filter_hidden": 8,
    "attention_hidden": 8,
}  # where a method has such widths
TASK = Task(feature_dim=6, class_names=("a", "b", "c"))


def video(seed: int, label: int, num_snippets: int) -> WeakVideo:
    """Noise; in the middle third, feature `label` is large."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 0.1, (num_snippets, 6)).astype(np.float32)
    features[num_snippets // 3 : 2 * num_snippets // 3, label] += 3
    labels = np.eye(3, dtype=np.float32)[label]
    return WeakVideo(
        video_id=f"v{seed}", features=features, grid=TimeGrid(fps=25, stride=16), labels=labels
    )


VIDEOS = [video(seed, seed % 3, 15 + 2 * seed) for seed in range(9)]


def parent_weights() -> dict[str, Parent]:
    torch.manual_seed(5)
    network = acm_net.Method(acm_net.Method.Config(), TASK).network()
    return {"start": Parent(weights=network.state_dict())}


def make(name: str, **options: Any) -> TrainableMethod:
    method = METHODS[name].Method
    narrow = {key: value for key, value in NARROW.items() if key in method.Config.fields()}
    config = method.Config(**{**SHORT, **narrow, **options})
    made: TrainableMethod = method(config, TASK, parent_weights() if method.needs else None)
    return made


@pytest.mark.parametrize("name", METHODS)
def test_a_few_epochs_lower_the_loss(name: str) -> None:
    options: dict[str, Any] = {"epochs": 6, "dropout": 0.2}
    if name == "ftcl":
        # all 18 pairs at once: a batch's share of positive ones moves the contrasts too
        options |= {"epochs": 20, "batch_size": 18, "fsd_dim": 4}
    history = fit(make(name, **options), VIDEOS, Session()).history
    first, last = (sum(record.losses.values()) for record in (history[0], history[-1]))
    assert np.isfinite(last)
    assert last < first


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("num_snippets", [1, 2, 17])
def test_activations_fit_the_video_and_are_probabilities_where_they_should_be(
    name: str, num_snippets: int
) -> None:
    method = make(name, epochs=1)
    method.fit(VIDEOS, Session())
    shown = video(99, 0, num_snippets)
    plain = Video(video_id="x", features=shown.features, grid=shown.grid)
    found = method.activations(plain)
    shown_at = 20 if name in FORCED else num_snippets
    assert found.scores["cas"].shape == (shown_at, 3)
    np.testing.assert_allclose(found.times, plain.grid.edges(num_snippets, shown_at))
    assert (found.video_scores >= 0).all()
    assert found.video_scores.sum() <= 1 + 1e-6
    for gate in found.gates.values():
        assert ((gate >= 0) & (gate <= 1)).all()
    again = method.activations(plain)
    np.testing.assert_array_equal(found.scores["cas"], again.scores["cas"])
    method.localize(plain, method.recipe)


def test_a_long_test_video_is_sampled_down() -> None:
    method = make("acm-net", epochs=1, max_test_snippets=10)
    method.fit(VIDEOS, Session())
    found = method.activations(video(99, 0, 25))
    assert found.scores["cas"].shape == (10, 3)
    assert found.times[-1] == pytest.approx(25 * 0.64)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("mil", COMMON),
        ("attention-mil", COMMON),
        ("acm-net", ACM),
        ("ftcl", ACM),
        ("bas-net", recipe("bas-net")),
        ("um", recipe("um")),
        ("cola", recipe("cola")),
    ],
)
def test_the_default_recipe_is_the_named_one_and_a_changed_one_says_so(
    name: str, base: Any
) -> None:
    assert make(name).recipe == base
    changed = make(name, nms_threshold=0.4).recipe
    assert changed.nms.threshold == 0.4
    assert changed.name == f"{base.name}-adjusted"


@pytest.mark.parametrize("name", METHODS)
def test_every_preset_is_valid_and_sets_nothing_that_the_parent_decides(name: str) -> None:
    module = METHODS[name]
    stem = Path(str(module.__file__)).stem
    presets = read_presets(Path(str(module.__file__)).parent / "presets" / f"{stem}.yaml")
    assert set(presets) - {"gtea", "activitynet12"} == {
        "thumos14",
        "simulated",
        "hapt",
        "small",
        "quick",
    }
    shared = {field for need in module.Method.needs.values() for field in need.shared}
    for preset in presets.values():
        build(module.Method.Config, [preset.layer], owner=name)
        assert not shared & set(preset.options)
        assert preset.found.known


def test_published_steps_become_epochs() -> None:
    cola_anet = read_presets(Path(str(cola.__file__)).parent / "presets" / "cola.yaml")
    options = cola_anet["activitynet12"].options
    assert options["epochs"] == epochs_of(100_000, batch_size=options["batch_size"], videos=4819)
    assert um.Method.Config().epochs == round(10_000 / 13)
    assert cola.Method.Config().epochs == round(6_000 / 13)


@pytest.mark.parametrize("name", METHODS)
def test_published_figures_fit_the_protocol_that_they_were_scored_under(name: str) -> None:
    method = METHODS[name].Method
    unknown = {"thumos14"} if name == "ham-net" else set()
    assert set(method.paper_protocols) == set(method.paper) & {"thumos14"} - unknown
    for data, known in method.paper_protocols.items():
        rules = protocol(known)
        assert known.startswith(f"{data}/")
        single = {key for key in method.paper[data] if ":" not in key}
        assert single & {f"{value:g}" for value in rules.tious}
        assert all(0 < value < 100 for value in method.paper[data].values())


def test_ftcl_shares_exactly_what_acm_net_has_beyond_training() -> None:
    shared = set(ftcl.Method.needs["start"].shared)
    training_only = {"epochs", "batch_size", "learning_rate", "weight_decay", "num_snippets"}
    assert shared == set(acm_net.Method.Config.fields()) - training_only
    assert shared < set(ftcl.Method.Config.fields())


def test_ftcl_starts_from_every_weight_of_acm_net() -> None:
    method = make("ftcl")
    network = method.network()
    projection = network.state_dict()["projection.weight"].clone()
    method.initial_weights(network)
    after = network.state_dict()
    start = method.parents["start"].weights
    assert len(start) == 6
    for name, value in start.items():
        assert torch.equal(after[f"backbone.{name}"], value)
    assert torch.equal(after["projection.weight"], projection)


@pytest.mark.parametrize("change", ["drop", "add"])
def test_weights_that_do_not_fit_the_key_map_are_refused(change: str) -> None:
    weights = dict(parent_weights()["start"].weights)
    if change == "drop":
        del weights["classifier.bias"]
    else:
        weights["classifier.scale"] = torch.ones(1)
    method = ftcl.Method(ftcl.Method.Config(), TASK, {"start": Parent(weights=weights)})
    with pytest.raises(DataError, match=r"missing or unknown \['classifier\.(bias|scale)'\]"):
        method.initial_weights(method.network())


def test_ftcl_without_a_start_is_refused() -> None:
    method = ftcl.Method(ftcl.Method.Config(), TASK)
    with pytest.raises(UsageError, match="starts from a checkpoint of acm-net"):
        method.initial_weights(method.network())


@pytest.mark.parametrize(
    ("form", "terms", "aligned"),
    [
        ("full", {"fsd", "lcs"}, True),
        ("fsd", {"fsd"}, True),
        ("lcs", {"lcs"}, True),
        ("shuffled", {"fsd", "lcs"}, True),
        ("pairs", set(), False),
    ],
)
def test_a_form_of_ftcl_computes_its_own_terms_only(
    form: str, terms: set[str], aligned: bool
) -> None:
    method = make("ftcl", **FTCL_FORMS[form])
    batch = next(iter(pair_batches(VIDEOS, np.random.default_rng(0), PairPolicy(4, 20))))
    outputs = method.forward(method.network(), batch)
    losses = method.loss(outputs, batch, Progress())
    base = {"instance", "context", "background", "guide", "feature", "sparsity"}
    assert set(losses) == base | terms
    assert (outputs.candidates is not None) == aligned


def test_all_forms_of_ftcl_see_the_same_pairs_and_snippets() -> None:
    def first_batch(form: str) -> torch.Tensor:
        method = make("ftcl", **FTCL_FORMS[form])
        epoch = method.batches(VIDEOS, np.random.default_rng([0, 0]), Progress())
        return next(iter(epoch)).features

    assert torch.equal(first_batch("full"), first_batch("pairs"))
    assert torch.equal(first_batch("full"), first_batch("shuffled"))


def test_both_alignments_move_the_embedding_but_not_through_the_choice() -> None:
    method = make("ftcl", fsd_dim=4)
    network = method.network()
    batch = next(iter(pair_batches(VIDEOS, np.random.default_rng(0), PairPolicy(8, 20))))
    terms = method.loss(method.forward(network, batch), batch, Progress())
    (terms["fsd"] + terms["lcs"]).backward()  # type: ignore[no-untyped-call]
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    assert gradients["backbone.attention.weight"] is None
    for name in ("backbone.embedding.weight", "projection.weight"):
        gradient = gradients[name]
        assert gradient is not None
        assert gradient.abs().sum() > 0

"""What a method with gradients can do once it is trained."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.hooks import Tiny, make, make_test_video, make_videos
from wsal_bench.api import Session
from wsal_bench.training.hooks import Progress, as_array
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import Activations, Video


@pytest.fixture(scope="module")
def trained() -> TrainableMethod:
    method = make(Tiny)
    method.fit(make_videos(), Session())
    return method


def equal(left: Activations, right: Activations) -> bool:
    return np.array_equal(left.scores["cas"], right.scores["cas"]) and np.array_equal(
        left.times, right.times
    )


def test_activations_do_not_depend_on_what_was_asked_before(trained: TrainableMethod) -> None:
    first = trained.activations(make_test_video())
    trained.activations(make_test_video(20))
    torch.rand(3)
    trained.trained.train()
    assert equal(first, trained.activations(make_test_video()))


def test_activations_leave_the_generators_alone(trained: TrainableMethod) -> None:
    before = torch.random.get_rng_state()
    trained.activations(make_test_video())
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("mode", [True, False])
def test_infer_leaves_the_network_in_its_mode(trained: TrainableMethod, mode: bool) -> None:
    network = trained.trained.train(mode)
    trained.infer(network, make_test_video())
    assert network.training == mode


def test_even_a_network_that_guesses_guesses_the_same_twice() -> None:
    class Guessing(Tiny):
        def forward(self, network: nn.Module, batch: object) -> torch.Tensor:
            outputs: torch.Tensor = super().forward(network, batch)  # type: ignore[arg-type]
            return outputs + torch.rand_like(outputs)

    method = make(Guessing, epochs=1)
    method.fit(make_videos(), Session())
    video = make_test_video()
    assert equal(method.activations(video), method.activations(video))


def test_loaded_weights_say_the_same(trained: TrainableMethod) -> None:
    other = make(Tiny, seed=5)
    other.load(trained.trained.state_dict())
    assert equal(other.activations(make_test_video()), trained.activations(make_test_video()))


def test_loading_refuses_missing_and_foreign_weights(trained: TrainableMethod) -> None:
    weights = dict(trained.trained.state_dict())
    weights["other"] = weights.pop("0.bias")
    with pytest.raises(RuntimeError, match=r"0\.bias"):
        make(Tiny).load(weights)


def test_loading_leaves_the_generators_alone(trained: TrainableMethod) -> None:
    before = torch.random.get_rng_state()
    make(Tiny).load(trained.trained.state_dict())
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_method_without_weights_says_so() -> None:
    with pytest.raises(RuntimeError, match="call fit or load first"):
        make(Tiny).activations(make_test_video())


def test_long_test_videos_are_sampled_down_and_still_cover_their_time(
    trained: TrainableMethod,
) -> None:
    video = make_test_video(20)
    activations = trained.activations(video)
    assert activations.scores["cas"].shape == (8, 3)
    assert activations.times[0] == 0
    assert activations.times[-1] == pytest.approx(video.duration)


def test_parameters_that_are_not_learnt_are_not_counted(trained: TrainableMethod) -> None:
    assert trained.num_parameters() == 6 * 5 + 5 + 5 * 3 + 3
    frozen = make(Tiny)
    frozen.load(trained.trained.state_dict())
    next(frozen.trained.parameters()).requires_grad_(False)
    assert frozen.num_parameters() == 5 + 5 * 3 + 3


def test_bf16_inference_gives_float_arrays(trained: TrainableMethod) -> None:
    rough = make(Tiny, precision="bf16")
    rough.load(trained.trained.state_dict())
    cas = rough.activations(make_test_video()).scores["cas"]
    exact = trained.activations(make_test_video()).scores["cas"]
    assert cas.dtype == np.float32
    assert not np.array_equal(cas, exact)
    np.testing.assert_allclose(cas, exact, atol=0.02)


def test_as_array_keeps_what_numpy_knows() -> None:
    assert as_array(torch.ones(2, dtype=torch.float64)).dtype == np.float64
    assert as_array(torch.ones(2, dtype=torch.bfloat16, requires_grad=True)).dtype == np.float32


def test_the_default_epoch_shows_every_video_once() -> None:
    method = make(Tiny)
    batches = list(method.batches(make_videos(), np.random.default_rng(0), Progress()))
    assert [len(batch) for batch in batches] == [3, 3, 2]
    shown = torch.cat([batch.indices for batch in batches]).tolist()
    assert sorted(shown) == list(range(8))
    assert shown != list(range(8))
    assert {batch.features.shape[1] for batch in batches} == {4}


def test_the_default_inference_batch_has_no_labels() -> None:
    video: Video = make_test_video()
    batch = make(Tiny).inference_batch(video)
    assert batch.labels.tolist() == [[0, 0, 0]]
    assert batch.features.shape == (1, 7, 6)

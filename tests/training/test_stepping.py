"""Learning-rate factor, clipping, averaged weights and turns: what each does to a step."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from tests.methods.test_no_sync import Waits
from tests.training.hooks import (
    STEPPING,
    Averaged,
    AveragedOn,
    Deterministic,
    Scheduled,
    TakingTurns,
    Tiny,
    make,
    make_videos,
    session,
    to_batch,
)
from wsal_bench.api import Session, Task
from wsal_bench.errors import NonFiniteLossError
from wsal_bench.training.checkpoints import last_weights, read_weights
from wsal_bench.training.hooks import Progress
from wsal_bench.training.learner import Learner
from wsal_bench.training.loop import Interrupted, fit
from wsal_bench.training.stepping import cosine_decay, epochs_of, ramp, step_rule
from wsal_bench.training.trainable import TrainableMethod


class Watched(Deterministic):
    """Plain gradient descent in one batch per epoch that notes the weights before each step."""

    rates: list[float]
    before: list[list[Tensor]]
    gradients: list[list[Tensor]]

    def optimizers(self, network: nn.Module) -> Sequence[Optimizer]:
        self.rates, self.before, self.gradients = [], [], []

        def note(optimizer: Optimizer, *_: Any) -> None:
            parameters = optimizer.param_groups[0]["params"]
            self.rates.append(optimizer.param_groups[0]["lr"])
            self.before.append([value.detach().clone() for value in parameters])
            self.gradients.append([value.grad.clone() for value in parameters])

        optimizer = SGD(network.parameters(), lr=self.config.learning_rate)
        optimizer.register_step_pre_hook(note)
        return [optimizer]


def trained(kind: type[Tiny], **options: Any) -> Any:
    method = make(kind, batch_size=8, **options)
    method.fit(make_videos(), Session())
    return method


def same(left: Sequence[Tensor], right: Sequence[Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


def test_the_factor_multiplies_the_rate_of_each_step() -> None:
    class Halving(Watched):
        def learning_rate_factor(self, progress: Progress) -> float:
            return 0.5**progress.epoch

    assert trained(Halving, epochs=4, learning_rate=0.1).rates == [0.1, 0.05, 0.025, 0.0125]


def test_nobody_touches_the_rates_of_a_method_without_the_hook() -> None:
    class ByItself(Watched):
        def optimizers(self, network: nn.Module) -> Sequence[Optimizer]:
            (optimizer,) = super().optimizers(network)
            optimizer.register_step_post_hook(lambda *_: optimizer.param_groups[0].update(lr=0.01))
            return [optimizer]

    assert trained(ByItself, epochs=2, learning_rate=0.1).rates == [0.1, 0.01]


def test_clipped_gradients_keep_their_direction_and_have_the_norm() -> None:
    class Clipped(Watched):
        def clip_norm(self, progress: Progress) -> float:
            return 1e-3 if progress.epoch == 0 else 1e9

    clipped, free = trained(Clipped, epochs=1), trained(Watched, epochs=1)

    def flat(values: list[Tensor]) -> Tensor:
        return torch.cat([value.flatten() for value in values])

    short, long = flat(clipped.gradients[0]), flat(free.gradients[0])
    assert float(short.norm()) == pytest.approx(1e-3, rel=1e-3)
    torch.testing.assert_close(short / short.norm(), long / long.norm())
    # gradients that are shorter than the norm stay as they are, to the last bit
    assert same(trained(Clipped, epochs=2).gradients[1], trained_from(clipped))


def trained_from(method: Any) -> list[Tensor]:
    """Gradients at the weights that a method ended with."""
    network = method.trained
    batch = to_batch(make_videos())
    method.loss(network(batch.features), batch, Progress())["sum"].backward()
    return [value.grad for value in network.parameters()]


def test_the_norm_is_of_all_gradients_that_step_together() -> None:
    class Clipped(TakingTurns):
        def turn(self, progress: Progress) -> Sequence[int]:
            return [0, 1]

        def clip_norm(self, progress: Progress) -> float:
            return 0.01

    learner = Learner(make(Clipped))
    norms: list[float] = []
    optimizers = learner._optimizers

    def note(*_: Any) -> None:
        gradients = [value.grad for value in learner.network.parameters()]
        norms.append(math.hypot(*(float(g.norm()) for g in gradients if g is not None)))

    optimizers[0].register_step_pre_hook(note)
    learner.backward(to_batch(make_videos()), Progress())
    learner.step(Progress())
    assert norms == [pytest.approx(0.01, rel=1e-3)]


class Slow(Watched):
    """Evaluated by its averaged weights."""

    def ema_decay(self, progress: Progress) -> float:
        return 0.75


def test_the_average_follows_the_weights_and_is_what_is_evaluated(tmp_path: Path) -> None:
    averaged = make(Slow, batch_size=8, epochs=3)
    result = fit(averaged, make_videos(), session(tmp_path), checkpoint_share=math.inf)
    plain = trained(Watched, epochs=3)
    assert all(map(same, averaged.before, plain.before)), "training goes on with the weights"  # type: ignore[attr-defined]
    passed = [*plain.before, list(plain.trained.parameters())]
    expected = [value.double() for value in passed[0]]
    for weights in passed[1:]:
        pairs = zip(expected, weights, strict=True)
        expected = [0.75 * old + 0.25 * new.detach().double() for old, new in pairs]
    for found, wanted in zip(result.network.parameters(), expected, strict=True):
        torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-7)
    assert same(list(last_weights(tmp_path).values()), list(result.network.parameters()))
    kept = read_weights(tmp_path / "checkpoints" / "p0-e00003.pt").weights
    assert same(list(kept.values()), list(result.network.parameters()))


def test_between_phases_sees_the_average_and_training_goes_on_with_the_weights() -> None:
    seen: list[dict[str, Tensor]] = []

    class Noting(AveragedOn):
        def between_phases(self, phase: int, network: nn.Module, videos: Any) -> Any:
            seen.append({name: value.clone() for name, value in network.state_dict().items()})
            return {}

        def loss(self, outputs: Any, batch: Any, progress: Progress) -> dict[str, Tensor]:
            return {"mil": outputs.square().mean()}

    one_phase = fit(make(AveragedOnce), make_videos(), Session()).network.state_dict()
    fit(make(Noting), make_videos(), Session())
    assert same(list(seen[0].values()), list(one_phase.values()))
    learner = Learner(make(Noting))
    learner.begin_epoch()
    for update in range(2):
        learner.backward(to_batch(make_videos()), Progress(update=update))
        learner.step(Progress(update=update))
    own = [value.clone() for value in learner.network.state_dict().values()]
    with learner.evaluating() as network:
        assert not network.training
        assert not same(list(network.state_dict().values())[:-1], own[:-1])
        assert torch.equal(network.state_dict()["4.passes"], own[-1])  # a counter has no average
    assert same(list(learner.network.state_dict().values()), own)


class AveragedOnce(AveragedOn):
    """The first phase alone."""

    def phases(self) -> Any:
        return super().phases()[:1]

    def loss(self, outputs: Any, batch: Any, progress: Progress) -> dict[str, Tensor]:
        return {"mil": outputs.square().mean()}


def test_a_share_of_zero_is_no_average(tmp_path: Path) -> None:
    class Off(Tiny):
        def ema_decay(self, progress: Progress) -> float:
            return 0.0

    fit(make(Off), make_videos(), session(tmp_path))
    assert same(
        list(last_weights(tmp_path).values()),
        list(fit(make(Tiny), make_videos(), Session()).network.parameters()),
    )
    assert set(Learner(make(Off)).snapshot()) == {"network", "optimizers", "torch"}


def test_a_fresh_phase_begins_a_new_average() -> None:
    class Never(Averaged):
        def ema_decay(self, progress: Progress) -> float:
            return 0.9 if progress.phase == 0 else 0.0

    class Late(Never):
        def ema_decay(self, progress: Progress) -> float:
            return 0.9 if progress.phase == 0 else 1.0

    def end(kind: type[Tiny]) -> list[Tensor]:
        return list(fit(make(kind), make_videos(), Session()).network.parameters())

    begin = [value.clone() for value in end(Late)]  # the weights that its fresh network began with
    assert not same(begin, end(Never))
    torch.manual_seed(0)
    assert not same(begin, list(make(Late).network().parameters())), "that of the first phase"


def test_only_whose_turn_it_is_steps() -> None:
    learner = Learner(make(TakingTurns))
    learner.begin_epoch()
    for update in range(4):
        before = {name: value.clone() for name, value in learner.network.named_parameters()}
        learner.backward(to_batch(make_videos()), Progress(update=update))
        learner.step(Progress(update=update))
        moved = {
            name
            for name, value in learner.network.named_parameters()
            if not torch.equal(value, before[name])
        }
        assert moved == {name for name in before if name.endswith(("bias", "weight")[update % 2])}
        assert all(value.grad is None for value in learner.network.parameters())


@pytest.mark.parametrize("stop_after", [0, 2])
def test_updates_count_steps_of_the_optimisers(stop_after: int, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    class Noting(Scheduled):
        def loss(self, outputs: Any, batch: Any, progress: Progress) -> dict[str, Tensor]:
            seen.append((progress.step, progress.update))
            return super().loss(outputs, batch, progress)

    if stop_after:
        with pytest.raises(Interrupted):
            fit(make(Noting, epochs=2), make_videos(), session(tmp_path, stop_after))
    fit(make(Noting, epochs=2), make_videos(), session(tmp_path))
    # 3 batches an epoch: two make a step, the third makes one of its own
    assert seen == [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3)]


def test_clipping_does_not_hide_gradients_that_are_not_finite() -> None:
    class Steep(Scheduled):
        def loss(self, outputs: Any, batch: Any, progress: Progress) -> dict[str, Tensor]:
            return {"root": (outputs * 0).sum().sqrt()}  # its slope is infinite at 0

    with pytest.raises(NonFiniteLossError, match="is not finite at the end"):
        fit(make(Steep, epochs=1, batch_size=8), make_videos(), Session())


@pytest.mark.parametrize("kind", STEPPING)
def test_a_step_waits_for_no_device(kind: type[Tiny]) -> None:
    """On the meta device tensors have no values, so whatever asks for one raises, too."""

    class OnMeta(kind):  # type: ignore[misc, valid-type]
        def optimizers(self, network: nn.Module) -> Sequence[Optimizer]:
            # Adam counts its steps on the CPU, which is no waiting
            halves = list(network.parameters())
            return [SGD(halves[:2], lr=0.1, momentum=0.9), SGD(halves[2:], lr=0.1)]

    method = OnMeta(OnMeta.Config(), Task(6, ("a", "b", "c"), device="meta"))
    learner = Learner(method)
    learner.begin_epoch()
    for update in range(3):
        progress = Progress(update=update)
        learner.backward(to_batch(make_videos()), progress)
        with Waits() as waits:
            learner.step(progress)
        assert waits.found == []


@pytest.mark.parametrize(
    ("hook", "value", "error", "message"),
    [
        ("learning_rate_factor", math.nan, ValueError, "finite; it gave nan"),
        ("learning_rate_factor", -0.1, ValueError, "0 or more"),
        ("learning_rate_factor", torch.tensor(0.5), TypeError, "a number, not Tensor"),
        ("clip_norm", 0, ValueError, "clip_norm must give what is above 0, or None; it gave 0"),
        ("clip_norm", "1", TypeError, "clip_norm must give a number, not str"),
        ("ema_decay", 1.01, ValueError, r"in 0\.\.1; it gave 1.01"),
        ("ema_decay", None, TypeError, "ema_decay must give a number, not NoneType"),
        ("turn", 1, TypeError, r"such as \[0\], or None, not 1"),
        ("turn", [2], ValueError, r"indices of the 2 optimisers, .* it gave \[2\]"),
        ("turn", [0, 0], ValueError, "different indices"),
    ],
)
def test_a_hook_that_gives_nonsense_is_told_so(
    hook: str, value: Any, error: type[Exception], message: str
) -> None:
    wrong = type("Wrong", (Tiny,), {hook: lambda self, progress: value})
    with pytest.raises(error, match=message):
        step_rule(make(wrong), Progress(), 2)


def test_a_hook_written_as_a_number_is_told_what_to_write() -> None:
    method: TrainableMethod = make(type("Wrong", (Tiny,), {"ema_decay": 0.9}))
    with pytest.raises(TypeError, match=r"`def ema_decay\(self, progress\): return 0.9`"):
        fit(method, make_videos(), Session())


def test_curves() -> None:
    assert [cosine_decay(f) for f in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])
    assert [ramp(f, 0.2, 0.6) for f in (0, 0.2, 0.4, 0.6, 1)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert [ramp(f, 0.5, 0.5) for f in (0.4, 0.5)] == [0, 1]
    with pytest.raises(ValueError, match=r"must not end \(0\) before it starts \(1\)"):
        ramp(0.5, 1, 0)


@pytest.mark.parametrize(
    ("steps", "batch", "epochs"), [(1500, 16, 115), (100_000, 10, 5000), (20, 16, 2), (1, 16, 1)]
)
def test_published_steps_become_the_nearest_number_of_epochs(
    steps: int, batch: int, epochs: int
) -> None:
    assert epochs_of(steps, batch_size=batch) == epochs

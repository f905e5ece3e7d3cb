"""What the training loop does with each hook of a method."""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.training.hooks import (
    NUM_CLASSES,
    Accumulating,
    Deterministic,
    FromParent,
    PseudoLabels,
    Refining,
    Tiny,
    TwoOptimizers,
    Unsized,
    make,
    make_videos,
    session,
    to_batch,
)
from wsal_bench.api import Parent, Session, Step, Task
from wsal_bench.errors import DataError, NonFiniteLossError
from wsal_bench.training.checkpoints import last_weights
from wsal_bench.training.hooks import Phase, Progress
from wsal_bench.training.loop import Interrupted, fit, step_limits
from wsal_bench.training.trainable import TrainableMethod
from wsal_bench.types import Batch, WeakVideo


def weights(method: TrainableMethod, videos: Sequence[WeakVideo] | None = None) -> list[Tensor]:
    """All parameters after training, without a directory."""
    result = fit(method, make_videos() if videos is None else videos, Session())
    return list(result.network.parameters())


def same(left: list[Tensor], right: list[Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


def test_the_seed_alone_decides_the_weights() -> None:
    first = weights(make(Tiny))
    torch.manual_seed(123)
    torch.rand(5)
    assert same(first, weights(make(Tiny)))
    assert not same(first, weights(make(Tiny, seed=1)))


def test_keeping_files_changes_nothing(tmp_path: Path) -> None:
    fit(make(Tiny), make_videos(), session(tmp_path))
    assert same(weights(make(Tiny)), list(last_weights(tmp_path).values()))


def test_one_step_is_one_step_of_gradient_descent() -> None:
    method = make(Deterministic, epochs=1, batch_size=8, learning_rate=0.1)
    torch.manual_seed(0)
    network = method.network()
    batch = to_batch(make_videos())
    method.loss(network(batch.features), batch, Progress())["sum"].backward()  # type: ignore[no-untyped-call]
    gradients = [
        torch.zeros(1) if value.grad is None else value.grad for value in network.parameters()
    ]
    expected = [
        value.detach() - 0.1 * gradient
        for value, gradient in zip(network.parameters(), gradients, strict=True)
    ]
    for one, other in zip(expected, weights(method), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-7)


def test_gradients_of_accumulated_batches_are_those_of_one_big_batch() -> None:
    big = weights(make(Deterministic, batch_size=8))
    small = weights(make(Deterministic, batch_size=2, summed=4))
    for one, other in zip(big, small, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    assert not same(big, weights(make(Deterministic, batch_size=2)))


@pytest.mark.parametrize(("summed", "steps"), [(1, 4), (2, 2), (3, 2), (9, 1)])
def test_batches_left_over_at_the_end_of_an_epoch_make_a_step(summed: int, steps: int) -> None:
    counted = []

    class Counting(Deterministic):
        def optimizers(self, network: nn.Module) -> list[torch.optim.Optimizer]:
            optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
            optimizer.register_step_post_hook(lambda *_: counted.append(1))
            return [optimizer]

    weights(make(Counting, epochs=1, batch_size=2, summed=summed))
    assert len(counted) == steps


def test_every_optimiser_steps() -> None:
    method = make(TwoOptimizers, epochs=1)
    torch.manual_seed(0)
    start = list(method.network().parameters())
    moved = [
        float((a - b).detach().abs().max()) for a, b in zip(start, weights(method), strict=True)
    ]
    largest_weight, smallest_bias = max(moved[0], moved[2]), min(moved[1], moved[3])
    assert min(moved) > 0
    assert smallest_bias > largest_weight  # each with its own learning rate


def test_progress_counts_phases_epochs_and_batches() -> None:
    seen: list[Progress] = []

    class Noting(PseudoLabels):
        def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
            seen.append(progress)
            return super().loss(outputs, batch, progress)

    weights(make(Noting, epochs=2, batch_size=4))
    counts = [(progress.phase, progress.epoch, progress.step) for progress in seen]
    one_phase = [(0, 0), (0, 1), (1, 2), (1, 3)]
    assert counts == [(phase, *rest) for phase in (0, 1) for rest in one_phase]
    assert [progress.fraction for progress in seen] == [0, 0.25, 0.5, 0.75] * 2
    assert seen[0].state == {}
    assert seen[-1].state["from"] == {"phase": 0, "names": [str(index) for index in range(8)]}


def test_the_fraction_moves_by_epochs_where_batches_have_no_length() -> None:
    seen: list[float] = []

    class Noting(Unsized):
        def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
            seen.append(progress.fraction)
            return super().loss(outputs, batch, progress)

    weights(make(Noting, epochs=2), make_videos(2))
    assert seen == [0, 0, 0.5, 0.5]


def test_a_fresh_phase_begins_with_other_weights_and_a_refining_one_with_the_same() -> None:
    begins: dict[type[Tiny], list[Tensor]] = {PseudoLabels: [], Refining: []}
    ends: dict[type[Tiny], list[Tensor]] = {PseudoLabels: [], Refining: []}

    for kind in begins:

        class Noting(kind):  # type: ignore[misc, valid-type]
            def between_phases(self, phase: int, network: nn.Module, videos: Any) -> Any:
                ends[kind].append(next(network.parameters()).clone())  # noqa: B023
                assert not network.training
                assert not torch.is_grad_enabled()
                return super().between_phases(phase, network, videos)

            def forward(self, network: nn.Module, batch: Batch) -> Any:
                if network.training:
                    begins[kind].append(next(network.parameters()).detach().clone())  # noqa: B023
                return super().forward(network, batch)

        weights(make(Noting, epochs=1))
    steps = 3
    assert torch.equal(begins[Refining][steps], ends[Refining][0])
    assert not torch.equal(begins[PseudoLabels][steps], ends[PseudoLabels][0])
    assert not torch.equal(begins[PseudoLabels][steps], begins[PseudoLabels][0])


def test_initial_weights_come_from_the_parent() -> None:
    task = Task(6, ("a", "b", "c"))
    parents = {"start": Parent(weights={"classifier": torch.full((5, 6), 2.0)})}
    method = FromParent(FromParent.Config(epochs=1, learning_rate=1e-9), task, parents)
    assert torch.allclose(weights(method)[0], torch.tensor(2.0))


def test_what_between_phases_returns_must_fit_into_a_checkpoint() -> None:
    class Wrong(PseudoLabels):
        def between_phases(self, phase: int, network: nn.Module, videos: Any) -> Any:
            return {"kept": [1, {2, 3}]}

    with pytest.raises(TypeError, match=r"between_phases\(1\)\['kept'\]\[1\] is a set"):
        weights(make(Wrong))


class TurnsBad(Tiny):
    """One term becomes what a test says in epoch 1 at batch 2."""

    bad = math.nan

    def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        terms = super().loss(outputs, batch, progress)
        if (progress.epoch, progress.step) == (1, 3 + 2):
            terms["norm"] = terms["norm"] * self.bad
        return terms


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_with_epoch_step_and_term(
    bad: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TurnsBad, "bad", bad)
    with pytest.raises(NonFiniteLossError, match=r"'norm' is .* phase 0, epoch 1, step 2") as error:
        fit(make(TurnsBad), make_videos(), session(tmp_path))
    assert str(bad) in error.value.message
    assert not (tmp_path / "checkpoints" / "last.pt").exists()


def test_a_bad_loss_is_noticed_before_a_stop_saves_it(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteLossError):
        fit(make(TurnsBad), make_videos(), session(tmp_path, 6))


def test_weights_that_the_last_step_spoils_are_noticed() -> None:
    class Steep(Tiny):
        def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
            # the square root's slope is infinite at 0
            return {"root": (outputs * 0).sum().sqrt()}

    with pytest.raises(NonFiniteLossError, match=r"weight '0.weight' is not finite"):
        weights(make(Steep, epochs=1, batch_size=8))


@pytest.mark.parametrize(
    ("terms", "kind", "message"),
    [
        ({"mil": torch.ones(2)}, ValueError, r"'mil' must have no dimension, not shape \(2,\)"),
        ({"mil": torch.ones(1)}, ValueError, r"'mil' must have no dimension, not shape \(1,\)"),
        ({"mil": 0.5}, TypeError, "'mil' must be a tensor, not float"),
        ({}, ValueError, "no term"),
        (torch.ones(()), TypeError, "dictionary of terms, not Tensor"),
    ],
)
def test_a_loss_of_the_wrong_form_is_refused(
    terms: Any, kind: type[Exception], message: str
) -> None:
    class Wrong(Tiny):
        def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
            return terms  # type: ignore[no-any-return]

    with pytest.raises(kind, match=message):
        weights(make(Wrong))


def test_an_epoch_without_batches_is_refused() -> None:
    with pytest.raises(DataError, match="phase 0, epoch 0 has no batch"):
        weights(make(Tiny), [])


def test_a_phase_without_epochs_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one epoch"):
        Phase(0)


def test_bf16_computes_in_bfloat16_and_keeps_weights_in_float32() -> None:
    seen = set()

    class Noting(Tiny):
        def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
            seen.add(outputs.dtype)
            return super().loss(outputs, batch, progress)

    trained = weights(make(Noting, precision="bf16"))
    assert seen == {torch.bfloat16}
    assert {value.dtype for value in trained} == {torch.float32}
    assert not same(trained, weights(make(Tiny)))


def test_the_history_has_one_line_per_epoch(tmp_path: Path) -> None:
    steps: list[Step] = []
    surroundings = Session(tmp_path, report=steps.append)
    result = fit(make(PseudoLabels, epochs=2), make_videos(), surroundings)
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [(line["phase"], line["epoch"]) for line in lines] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert {line["steps"] for line in lines} == {3}
    assert all(line["seconds"] > 0 for line in lines)
    assert [list(line["losses"]) for line in lines] == [
        *[["mil", "norm"]] * 2,
        *[["mil", "norm", "pseudo", "pull"]] * 2,
    ]
    assert [line["losses"] for line in lines] == [step.losses for step in steps]
    assert [line["losses"] for line in lines] == [record.losses for record in result.history]
    assert [(step.phase, step.epoch, step.epochs) for step in steps] == [
        *[(0, 0, 2), (0, 1, 2)],
        *[(1, 0, 2), (1, 1, 2)],
    ]


def test_a_loss_in_the_history_is_the_mean_over_the_batches() -> None:
    class Plain(Deterministic):
        def batches(
            self, videos: Sequence[WeakVideo], generator: np.random.Generator, progress: Progress
        ) -> Iterable[Batch]:
            return [to_batch(videos[:1])] * 4

        def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
            terms = {"step": outputs.sum() * 0 + progress.step}
            return terms | ({"late": outputs.sum() * 0 + 7} if progress.step >= 2 else {})

    (record,) = fit(make(Plain, epochs=1), make_videos(), Session()).history
    assert record.losses == {"step": 1.5, "late": 7}


def test_stop_is_asked_after_each_step_of_the_optimisers() -> None:
    asked = []

    def stop() -> bool:
        asked.append(1)
        return False

    fit(make(Accumulating, epochs=1, batch_size=2), make_videos(), Session(stop=stop))
    assert len(asked) == 2


def test_a_stop_without_a_directory_keeps_nothing() -> None:
    with pytest.raises(Interrupted, match="phase 0, epoch 0, after step 1"):
        fit(make(Tiny), make_videos(), Session(stop=lambda: True))


def test_training_leaves_the_videos_as_they_were() -> None:
    videos = make_videos()
    fit(make(Tiny), videos, Session())
    for video, untouched in zip(videos, make_videos(), strict=True):
        assert np.array_equal(video.features[:], untouched.features[:])
        assert np.array_equal(video.labels, untouched.labels)
        assert len(video.labels) == NUM_CLASSES


@pytest.mark.parametrize("workers", [0, 2])
def test_a_limit_ends_training_as_if_it_had_been_planned_so(workers: int) -> None:
    seen: list[Progress] = []

    class Watching(Tiny):
        def loss(self, outputs: Any, batch: Batch, progress: Progress) -> dict[str, Tensor]:
            seen.append(progress)
            return super().loss(outputs, batch, progress)

    limited = Session(max_steps=5, num_workers=workers)
    result = fit(make(Watching, epochs=50), make_videos(), limited)  # three batches an epoch
    assert [record.steps for record in result.history] == [3, 2]
    assert [progress.fraction for progress in seen] == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])


def test_a_limit_above_what_a_training_takes_changes_nothing() -> None:
    limited = fit(make(Tiny), make_videos(), Session(max_steps=10_000))
    assert same(list(limited.network.parameters()), weights(make(Tiny)))


def test_phases_share_a_limit_by_their_epochs() -> None:
    assert step_limits([Phase(3), Phase(1)], 200) == [150, 50]
    assert step_limits([Phase(999), Phase(1)], 200) == [199, 1]
    assert step_limits([Phase(3)], None) == [None]

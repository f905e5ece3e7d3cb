"""The one training loop: seeds, device, precision, phases, checkpoints, resume, history.

A training that is stopped or killed at any moment and started again in the same directory ends
with the same weights, bit for bit (same machine, device and thread count; CPU), because everything
that decides them is in the checkpoint: weights, optimisers, torch's generators, the state of the
batch generator at the beginning of the epoch and the number of batches done since.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Generator, Iterator, Mapping, Sequence, Sized
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from wsal_bench.clock import paused, worked
from wsal_bench.errors import DataError, NonFiniteLossError
from wsal_bench.plugins.contract import Session, Step
from wsal_bench.training import history
from wsal_bench.training.checkpoints import Checkpoint, CheckpointFolder, Position, pack, unpack
from wsal_bench.training.history import EpochRecord, LossLog
from wsal_bench.training.hooks import Phase, Progress, Trainable
from wsal_bench.training.learner import Learner
from wsal_bench.training.reading import Buffers, read_ahead
from wsal_bench.training.sampling import DraftedEpoch
from wsal_bench.types import Batch, WeakVideo

CHECKPOINT_SHARE: Final = 0.01
"""An epoch ends with a checkpoint unless checkpoints would take more than this share of the time.

The first epoch and the last one of each phase always do.
"""

_log = logging.getLogger(__name__)


class Interrupted(Exception):  # noqa: N818 - nothing is wrong
    """The session said stop; where training stands was saved if the session has a directory.

    Args:
        position: where training stopped.
    """

    def __init__(self, position: Position) -> None:
        super().__init__(position)
        self.position = position

    def __str__(self) -> str:
        at = self.position
        return f"training was stopped in phase {at.phase}, epoch {at.epoch}, after step {at.step}"


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """What a training leaves.

    Args:
        network: on the training device, in evaluation mode.
        history: one record per epoch, from the beginning.
        resumed_from: where it went on; None: from the start.
    """

    network: nn.Module
    history: tuple[EpochRecord, ...]
    resumed_from: Position | None = None


def fit(
    method: Trainable,
    videos: Sequence[WeakVideo],
    session: Session,
    *,
    checkpoint_share: float | None = None,
) -> TrainingResult:
    """Trains a method to its last epoch, from the newest good checkpoint if there is one.

    Args:
        method: gives network, batches, loss and optimisers; its task gives seed and device.
        videos: the training videos.
        session: directory, progress, stop.
        checkpoint_share: at most this share of the time goes into checkpoints at the ends of
            epochs; None: `CHECKPOINT_SHARE`; infinite: every epoch ends with one.

    Raises:
        NonFiniteLossError: a loss term or a weight became NaN or infinite.
        Interrupted: the session said stop.
        DataError: an epoch without batches, a file that cannot be written, or checkpoints of
            another training.
    """
    with paused():  # the first optimiser would import it: two seconds that are no training
        import torch._dynamo  # noqa: F401
    share = CHECKPOINT_SHARE if checkpoint_share is None else checkpoint_share
    return _Training(method, videos, session, share).run()


def step_limits(phases: Sequence[Phase], max_steps: int | None) -> list[int | None]:
    """The steps that each phase may take: shares by epochs, at least one.

    Args:
        phases: of the training.
        max_steps: of all phases together; None: no limit.
    """
    if max_steps is None:
        return [None] * len(phases)
    epochs = sum(phase.epochs for phase in phases)
    return [max(1, max_steps * phase.epochs // epochs) for phase in phases]


class _Training:
    """A training under way; the methods stand in the order of its life."""

    def __init__(
        self,
        method: Trainable,
        videos: Sequence[WeakVideo],
        session: Session,
        share: float,
    ) -> None:
        self.method, self.videos, self.session = method, videos, session
        self.share = share
        # one batch is worked on while the next is made, and one more for each worker
        self.buffers = Buffers(session.num_workers + 2)
        self.save_seconds, self.saved_at = 0.0, perf_counter()
        self.store = None if session.directory is None else CheckpointFolder(session.directory)
        found = self.store.newest(torch.device(method.task.device)) if self.store else None
        self.resumed_from = found.position if found else None
        # before anything draws: what ran earlier in this process must not be felt
        torch.manual_seed(method.task.seed)
        self.generator = np.random.default_rng([method.task.seed, 0])
        self.epoch_generator = self._generator_state()
        self.learner = Learner(method)
        self.position = Position()
        self.limits: list[int | None] = []
        self.state: Mapping[str, Any] = {}
        self.history: list[EpochRecord] = []
        self.log = LossLog(0, 0)
        self.epoch_seconds = 0.0
        if found:
            self._restore(found)

    def run(self) -> TrainingResult:
        phases = list(self.method.phases())
        self.limits = step_limits(phases, self.session.max_steps)
        self._rewrite_history()
        for index in range(self.position.phase, len(phases)):
            if index > self.position.phase:
                self._enter(index, phases[index])
            while not self._ended(phases[index]):
                self._epoch(phases[index])
        network = self.learner.finish()
        if self.store:
            self.store.save_last(network.state_dict())
        self._rewrite_history()
        return TrainingResult(network, tuple(self.history), self.resumed_from)

    def _ended(self, phase: Phase) -> bool:
        at = self.position
        limit = self.limits[at.phase]
        return at.epoch >= phase.epochs or (limit is not None and self._steps_before() >= limit)

    def _steps_before(self) -> int:
        """Batches of the phase in the epochs before the present one."""
        return sum(record.steps for record in self.history if record.phase == self.position.phase)

    def _enter(self, index: int, phase: Phase) -> None:
        """From the end of a phase to the beginning of the next one."""
        with torch.no_grad(), self.learner.evaluating() as network:
            returned = self.method.between_phases(index, network, self.videos)
        # through the checkpoint's form, so that a resumed phase is told exactly the same
        self.state = unpack(pack(returned, name=f"between_phases({index})"))
        self.position = Position(index)
        self.log = LossLog(index, 0)
        if phase.fresh:
            self.learner = Learner(self.method)

    def _epoch(self, phase: Phase) -> None:
        """The epoch at the present position, or what is left of it."""
        began = worked() - self.epoch_seconds
        every, waiting = self.method.accumulate, False
        self.learner.begin_epoch()
        with closing(self._batches(phase)) as batches:  # ends reading ahead, whatever happens
            for batch, progress in batches:
                self.log.add(*self.learner.backward(batch, progress))
                at = self.position
                self.position = Position(at.phase, at.epoch, at.step + 1)
                waiting = self.position.step % every != 0
                if not waiting:
                    self.learner.step(progress)
                    if self.session.stop():
                        self._interrupt(worked() - began)
        if waiting:  # batches that are too few for a whole step still count
            self.learner.step(progress)
        self._end_epoch(phase, worked() - began)

    def _batches(self, phase: Phase) -> Generator[tuple[Batch, Progress], None, None]:
        """The epoch's batches that are not done yet, each with the progress before it."""
        at, limit = self.position, self.limits[self.position.phase]
        every, before = self.method.accumulate, self._steps_before()
        updates = sum(
            math.ceil(record.steps / every) for record in self.history if record.phase == at.phase
        )

        def progress(step: int, fraction: float) -> Progress:
            # where a limit ends the phase early, it is the limit that the phase is a fraction of
            done = max(fraction, (before + step) / limit if limit else 0.0)
            update = updates + step // every
            return Progress(at.phase, at.epoch, before + step, done, self.state, update)

        start = progress(0, at.epoch / phase.epochs)
        batches = self.method.batches(self.videos, self.generator, start)
        drafts = batches.drafts if isinstance(batches, DraftedEpoch) else None
        iterator: Iterator[Any] = iter(batches if drafts is None else drafts)
        skipped = sum(1 for _ in islice(iterator, at.step))
        if skipped < at.step:
            raise DataError(
                f"{at.step} batches of {_where(at)} were done, but now it has {skipped}",
                hint="the training videos changed since the checkpoint",
                path=self.session.directory,
            )
        if limit is not None:  # here, so that no more is drawn, however far is read ahead
            iterator = islice(iterator, limit - before - at.step)
        if drafts is not None:
            iterator = read_ahead(iterator, self.buffers, self.session.num_workers)
        elif self.session.num_workers and at.phase == at.epoch == 0:
            _log.warning("no batch is read ahead: the method makes its batches by itself")
        length = len(batches) if isinstance(batches, Sized) else None
        for step, batch in enumerate(iterator, start=at.step):
            within = step / max(length, step + 1) if length else 0.0
            yield batch, progress(step, (at.epoch + within) / phase.epochs)

    def _interrupt(self, seconds: float) -> None:
        self.log.look()
        self.epoch_seconds = seconds
        self._save()
        raise Interrupted(self.position)

    def _end_epoch(self, phase: Phase, seconds: float) -> None:
        at = self.position
        if not at.step:
            raise DataError(f"{_where(at)} has no batch to learn from")
        losses = self.log.means()
        record = EpochRecord(at.phase, at.epoch, at.step, round(seconds, 6), losses)
        self.history.append(record)
        if self.session.directory:
            history.append(self.session.directory, record)
        self.position = Position(at.phase, at.epoch + 1)
        self.log = LossLog(at.phase, at.epoch + 1)
        self.epoch_seconds = 0.0
        self.epoch_generator = self._generator_state()
        ended = self._ended(phase)
        if ended:
            self._check_weights(at)
        if ended or (perf_counter() - self.saved_at) * self.share >= self.save_seconds:
            self._save()
        self.session.report(Step(at.phase, at.epoch, phase.epochs, losses))

    def _check_weights(self, at: Position) -> None:
        """The last step's gradients can spoil the weights after every loss was finite."""
        name = self.learner.non_finite_weight()
        if name is not None:
            raise NonFiniteLossError(
                f"weight {name!r} is not finite at the end of {_where(at)}",
                hint="the last gradients were not finite though each loss term was",
            )

    def _save(self) -> None:
        if self.store is None:
            return
        began = perf_counter()
        content = {
            "identity": self._identity(),
            "learner": self.learner.snapshot(),
            "generator": self.epoch_generator,
            "state": pack(self.state),
            "history": history.to_lines(self.history),
            "losses": self.log.values,
            "seconds": self.epoch_seconds,
        }
        self.store.save(Checkpoint(self.position, content))
        self.saved_at = perf_counter()
        self.save_seconds = self.saved_at - began

    def _restore(self, found: Checkpoint) -> None:
        content, at = found.content, found.position
        if content["identity"] != self._identity():
            raise DataError(
                f"the checkpoint is of another training: {content['identity']}",
                hint=f"this one is {self._identity()}",
                path=self.session.directory,
            )
        try:
            self.learner.restore(content["learner"])
        except (RuntimeError, ValueError) as error:
            raise DataError(
                f"the checkpoint does not fit the network or its optimisers: {error}",
                hint="the method was changed since; remove the directory to train again",
                path=self.session.directory,
            ) from error
        self.epoch_generator = content["generator"]
        self.generator.bit_generator.state = json.loads(self.epoch_generator)
        self.position, self.state = at, unpack(content["state"])
        self.history = history.from_lines(content["history"])
        self.log = LossLog(at.phase, at.epoch, content["losses"], at.step)
        self.epoch_seconds = content["seconds"]
        _log.info("training goes on from %s", at.file_name)

    def _identity(self) -> str:
        """What the weights depend on besides the videos and the code."""
        device = torch.device(self.method.task.device).type
        named = {
            "method": f"{type(self.method).__module__}.{type(self.method).__qualname__}",
            "task": {**vars(self.method.task), "device": device},
            "config": self.method.config.to_json(),
        }
        return json.dumps(named, sort_keys=True, default=str)

    def _generator_state(self) -> str:
        return json.dumps(self.generator.bit_generator.state)

    def _rewrite_history(self) -> None:
        if self.session.directory:
            history.rewrite(self.session.directory, self.history)


def _where(at: Position) -> str:
    return f"phase {at.phase}, epoch {at.epoch}"

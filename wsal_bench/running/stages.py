"""The life of one cell: learn, infer, localize, evaluate, record; and what of it is there already.

Each stage leaves a whole file or none, the record comes last. A cell without a good record is
made again; training then goes on from its newest good checkpoint. Imports torch only to train.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import yaml

from wsal_bench import files, plugins
from wsal_bench.config import read_yaml
from wsal_bench.environment import cpu_target
from wsal_bench.errors import DataError, UnavailableError, UnreadableError
from wsal_bench.evaluation import Scores
from wsal_bench.locks import locked
from wsal_bench.plugins.contract import Dataset
from wsal_bench.running.aside import set_aside
from wsal_bench.running.cell_log import cell_log, fatal_signals_in
from wsal_bench.running.cells import Cell, RunSpec
from wsal_bench.running.context import (
    Context,
    MustLearnError,
    StoppedError,
    Stopwatch,
    torch_threads,
)
from wsal_bench.running.coverage import Coverage
from wsal_bench.running.digests import checked, digests_of
from wsal_bench.running.events import CellResult, CellStarted, ListenerError, Note, Status
from wsal_bench.running.inputs import Inputs
from wsal_bench.running.learning import Learned, learn_here
from wsal_bench.running.records import failed_record, good_record
from wsal_bench.running.results import RunFiles, read_record
from wsal_bench.running.scoring_stage import DamagedError, Scoring, reading
from wsal_bench.running.words import Fault, FaultError

_logger = logging.getLogger("wsal_bench.cell")

Learn = Callable[[Cell, Dataset, Context, Stopwatch], Learned]
"""Trains a cell's method and asks it about the videos."""


def is_finished(cell: Cell, context: Context) -> bool:
    """Whether the cell has a good record, so that nothing is left but scoring."""
    return not (context.overwrite and cell.asked) and has_good_record(cell.key, context)


def has_good_record(key: str, context: Context) -> bool:
    """Whether the store holds a good record of a cell, by the cell's key."""
    try:
        return bool(read_record(RunFiles(context.results / key).record)["status"] == "ok")
    except UnreadableError:  # it may be good: nothing may be made in its place
        raise
    except DataError:
        return False


def run_cell(cell: Cell, context: Context, learn: Learn = learn_here) -> CellResult:
    """Makes a cell, or what of it is missing.

    Args:
        cell: which.
        context: of this process.
        learn: trains its method and asks it about the videos.

    Returns:
        Its scores; or what went wrong inside the method, which is stored too.

    Raises:
        StoppedError: the user wants the run to end; what was learnt is in a checkpoint.
        BusyError: another process makes this cell.
        MustLearnError: it is not in the store, and the context lets nothing be trained.
        DataError: files or folders cannot be read or written: no other cell would fare better.
        UnavailableError: the device is not there.
        ListenerError: whoever is told of events failed.
    """
    place = RunFiles(context.results / cell.key)
    files.make_folder(place.directory)
    with ExitStack() as stack:
        stack.enter_context(locked(place.directory, patience=0.0))
        stack.enter_context(cell_log(place.log, context.emit, cell.title))
        if context.isolated:
            stack.enter_context(fatal_signals_in(place.log))
        if not cell.is_floor:
            stack.enter_context(torch_threads(cell.spec.threads))
        files.remove_leftovers(place.directory)
        try:
            return _Work(cell, context, place, learn).run()
        except (StoppedError, MustLearnError, ListenerError):
            raise
        except FaultError as error:
            _logger.info("the cell failed: %s", error)
            return store_failure(cell, context, error.fault)
        except (Exception, SystemExit) as error:  # a method may fail in any way; the others go on
            context.on_failure(error)
            if isinstance(error, (DataError, UnavailableError)):
                raise
            _logger.exception("the cell failed")
            return store_failure(cell, context, Fault.of(error))


def store_failure(cell: Cell, context: Context, fault: Fault) -> CellResult:
    """Records that a cell failed, and why.

    A good record stays as it is: what failed then is another scoring of it, or another making that
    had not begun; either way the files that it vouches for are there.

    Args:
        cell: which.
        context: where its record goes.
        fault: why.

    Raises:
        DataError: the record cannot be written.
    """
    place = RunFiles(context.results / cell.key)
    files.make_folder(place.directory)
    if not has_good_record(cell.key, context):
        set_aside(place)
        found = {"type": fault.kind, "message": fault.message, "traceback": fault.trace}
        files.write_json(place.record, failed_record(cell, found, isolated=context.isolated))
    head = _head(cell, place)
    return CellResult(**head, status="failed", error=fault.message, trace=fault.trace)


class _Work:
    """One cell in its locked directory."""

    def __init__(self, cell: Cell, context: Context, place: RunFiles, learn: Learn) -> None:
        self.cell, self.context, self.place, self.learn = cell, context, place, learn
        self.dataset = context.catalog.dataset(cell.spec.data)
        self.watch = Stopwatch()
        self.scoring = Scoring(cell, self.dataset, place, self.watch, self._note)

    def run(self) -> CellResult:
        record = None if self._is_overwritten() else self._stored_record()
        if record is not None:
            try:
                self._check_material(record)
                scores = self.scoring.from_store(record)
            except DamagedError as error:
                self._note(f"{error}; the cell is made again from its last good checkpoint")
            else:
                self._say_if_source_changed(record)
                self._say_if_target_changed(record)
                self._say_what_readers_learn(record)
                # the one that a kill left there after the record
                files.remove_folder(self.place.aside)
                return self._result("skipped", scores, record["seconds"])
        if not (self.context.may_learn or self.cell.is_floor):
            raise MustLearnError
        return self._anew()

    def _is_overwritten(self) -> bool:
        return self.context.overwrite and self.cell.asked

    def _stored_record(self) -> dict[str, Any] | None:
        if not self.place.record.exists():
            return None
        try:
            record = read_record(self.place.record)
        except UnreadableError:
            raise
        except DataError as error:
            self._note(f"{error}; the cell is made again from its last good checkpoint")
            return None
        return record if record["status"] == "ok" else None

    def _check_material(self, record: Mapping[str, Any]) -> None:
        """What children of this cell will read must be there and whole.

        Raises:
            DamagedError: it is not.
        """
        needed = self.cell.inherited or len(self.cell.splits) > 1  # else only scoring reads them
        for split in self.cell.splits:
            path = self.place.activations(split)
            if not path.exists():
                raise DamagedError(f"{path} is not there")
            if needed:
                with reading():
                    checked(path, self.place.directory, record.get("digests"))
        if self.cell.inherited:
            from wsal_bench.training.checkpoints import last_weights

            with reading():
                last_weights(self.place.directory)

    def _say_if_source_changed(self, record: Mapping[str, Any]) -> None:
        if self.cell.is_floor:
            return
        kind = plugins.load("methods", self.cell.spec.method)
        if record["source_digest"] != plugins.source_digest(kind):
            self._note("the method's source changed since; --overwrite makes the cell again")

    def _say_if_begun_elsewhere(self) -> None:
        """Of a run that goes on: its checkpoints may be of another machine."""
        if not (self.place.directory / "checkpoints").exists() or not self.place.spec.exists():
            return
        try:
            begun = read_yaml(self.place.spec)
        except UnreadableError:
            raise
        except DataError:  # it is for readers; half-written, it is written anew
            return
        self._say_if_target_changed({"environment": begun})

    def _say_if_target_changed(self, record: Mapping[str, Any]) -> None:
        then = (record.get("environment") or {}).get("cpu_target")
        if then is not None and then != cpu_target():
            self._note(
                f"it was made on the CPU target {then}, this machine's is {cpu_target()}: what is "
                "computed here may differ in the last bits"
            )

    def _say_what_readers_learn(self, record: Mapping[str, Any]) -> None:
        """Facts of a record that are in no hash, where it knows less than the present request.

        A parent that nobody had asked for gets its row in tables once somebody does. How options
        were found comes from their preset, which may have said it only since; earlier versions
        did not count what there was to score, and vouched for no file.
        """
        told = {**record, "asked": record["asked"] or self.cell.asked}
        told["scored"] = record.get("scored") or {
            variant: part.to_json() for variant, part in coverages(self.dataset).items()
        }
        if not all(found.known for found in RunSpec.from_json(record["spec"]).found):
            now = self.cell.spec.to_json()
            told["spec"] = {**record["spec"], "preset": now["preset"], "found": now["found"]}
        told["digests"] = self.scoring.digests or digests_of(self.place.directory)
        if told != record:
            files.write_json(self.place.record, told)

    def _anew(self) -> CellResult:
        self._clear()
        self._say_if_begun_elsewhere()
        self.context.emit(CellStarted(self.cell))
        _logger.info("%s begins", self.cell.key)
        begun = {"hash": self.cell.spec.hash, "cpu_target": cpu_target()}
        spec = yaml.safe_dump(self.cell.spec.to_json() | begun)
        files.write_text(self.place.spec, spec)
        learned = self._learn()
        scores = self.scoring.from_learned(learned)
        self._stop_here()
        inputs, scored = Inputs.of(self.dataset), coverages(self.dataset)
        isolated = self.context.isolated
        record = good_record(
            self.cell, self.place, learned, self.watch.seconds, inputs, scored, isolated=isolated
        )
        files.write_json(self.place.record, record)
        files.remove_folder(self.place.aside)
        _logger.info("done: %s %.4f", scores.protocol.headline, scores.headline)
        return self._result("ok", scores, self.watch.seconds)

    def _learn(self) -> Learned:
        if self.cell.is_floor:
            return self.scoring.reference_row()
        return self.learn(self.cell, self.dataset, self.context, self.watch)

    def _clear(self) -> None:
        """Takes away what the coming record would not vouch for."""
        learnt = (self.place.history, self.place.directory / "checkpoints")
        set_aside(self.place, learnt if self._is_overwritten() else ())
        files.remove(self.place.record)
        if self._is_overwritten():
            files.remove(learnt[0])
            files.remove_folder(learnt[1])
        files.remove_folder(self.place.recipes)
        for path in self.place.directory.glob("activations*.npz"):
            files.remove(path)

    def _stop_here(self) -> None:
        if self.context.stop():
            raise StoppedError

    def _note(self, message: str) -> None:
        _logger.info("%s", message)
        self.context.emit(Note(f"{self.cell.title}: {message}"))

    def _result(self, status: Status, scores: Scores, seconds: Mapping[str, float]) -> CellResult:
        return CellResult(
            **_head(self.cell, self.place),
            status=status,
            tiou=tuple(scores.tiou),
            map=tuple(scores.mean_ap.tolist()),
            averages=scores.averages,
            average=scores.protocol.headline,
            seconds=dict(seconds),
        )


def coverages(dataset: Dataset) -> dict[str, Coverage]:
    """How much there is to score, by truth variant."""
    return {variant: Coverage.of(dataset, variant) for variant in dataset.truth_variants}


def _head(cell: Cell, place: RunFiles) -> dict[str, Any]:
    return {
        "method": cell.spec.name,
        "dataset": cell.spec.data.name,
        "protocol": cell.protocol.name,
        "seed": cell.spec.seed,
        "data_seed": cell.spec.data.seed,
        "recipe": cell.recipe,
        "directory": str(place.directory),
    }

"""Localization and scoring of one cell, each read from the store where it is there and whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from wsal_bench import files
from wsal_bench.errors import DataError, UnreadableError
from wsal_bench.evaluation import Scores, evaluate
from wsal_bench.evaluation.floors import FLOORS
from wsal_bench.evaluation.formats import detections_from_npz, detections_to_npz
from wsal_bench.localization import localize
from wsal_bench.localization import recipe as recipes
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.plugins.contract import Dataset, Split
from wsal_bench.running.activation_file import read_activations, write_activations
from wsal_bench.running.cells import OWN_RECIPE, Cell
from wsal_bench.running.context import Stopwatch
from wsal_bench.running.diagnosing import write_diagnosis
from wsal_bench.running.digests import checked, digest, name_of
from wsal_bench.running.learning import Learned
from wsal_bench.running.recipe_file import recipe_from_json
from wsal_bench.running.results import RunFiles, read_scores
from wsal_bench.types import Activations, Detections, GroundTruth


class DamagedError(Exception):
    """A stored file that must be made again, and why."""


@contextmanager
def reading() -> Iterator[None]:
    """What cannot be read in here is damaged; what cannot be written elsewhere is an error."""
    try:
        yield
    except UnreadableError:  # it may be whole
        raise
    except DataError as error:
        raise DamagedError(str(error)) from error


class Scoring:
    """Detections and scores of one cell under its recipe and protocol.

    Args:
        cell: which.
        dataset: its data set.
        place: where its files lie.
        watch: told how long things take.
        note: told, in a sentence, what had to be made again.
    """

    def __init__(
        self,
        cell: Cell,
        dataset: Dataset,
        place: RunFiles,
        watch: Stopwatch,
        note: Callable[[str], None],
    ) -> None:
        self.cell, self.dataset, self.place = cell, dataset, place
        self.watch, self.note = watch, note
        self.digests: dict[str, str] | None = None

    def reference_row(self) -> Learned:
        """The activations of a floor or ceiling, from the truth."""
        floor = FLOORS[self.cell.spec.method]
        generator = np.random.default_rng(self.cell.spec.seed)
        truth = self._truth()
        with self.watch.time("infer"):
            activations = {
                video.video_id: floor.make(video, truth, generator)
                for video in self.dataset.videos("test")
            }
        write_activations(self.place.activations(), activations)
        return Learned({"test": activations}, recipes.COMMON)

    def from_learned(self, learned: Learned) -> Scores:
        """Cuts and scores what a method has just said."""
        cut = {
            split: Detections.from_proposals(proposals, self.dataset.class_names)
            for split, proposals in learned.proposals.items()
        }
        for split, detections in cut.items():
            self._write_detections(OWN_RECIPE, split, detections, learned.recipe)
        own = cut.get("test")
        activations = learned.activations["test"]
        if own is not None and self.cell.recipe == OWN_RECIPE:
            return self._evaluate(own, activations)
        recipe = self._recipe(learned.recipe)
        return self._evaluate(self._localize(activations, recipe), activations)

    def from_store(self, record: Mapping[str, Any]) -> Scores:
        """Scores from what is stored, making again as little as possible.

        Raises:
            DamagedError: the activations, or segments that only the method can cut, are damaged.
            DataError: something cannot be written.
        """
        self.digests = record.get("digests")
        with reading():
            recipe = self._recipe(recipe_from_json(record["recipe"], self.place.record))
        only_method = record["own_recipe"] and self.cell.recipe == OWN_RECIPE
        try:
            with reading():
                self._check_recipe(recipe)
            scores = self._stored_scores()
            if scores is not None:
                return scores
            with reading():
                detections = self._stored_detections()
        except DamagedError as error:
            if only_method:
                raise
            if self.place.detections(self.cell.recipe).exists():
                self.note(f"{error}; localized again")
            with reading():
                activations = self._stored_activations()
            detections = self._localize(activations, recipe)
            return self._evaluate(detections, activations)
        return self._evaluate(detections, self._readable_activations())

    def _recipe(self, own: ProposalRecipe) -> ProposalRecipe:
        return own if self.cell.recipe == OWN_RECIPE else recipes.recipe(self.cell.recipe)

    def _truth(self) -> GroundTruth:
        return self.dataset.ground_truth("test", self.cell.protocol.truth_variant)

    def _stored_scores(self) -> Scores | None:
        path = self.place.scores(self.cell.recipe, self.cell.protocol.name)
        if not path.exists():
            return None
        try:
            scores = read_scores(path, self.place.directory, self.digests)
        except UnreadableError:
            raise
        except DataError as error:
            self.note(f"{error}; scored again")
            return None
        return scores if scores.protocol == self.cell.protocol else None

    def _stored_detections(self) -> Detections:
        path = self.place.detections(self.cell.recipe)
        checked(path, self.place.directory, self.digests)
        return detections_from_npz(path)

    def _stored_activations(self) -> dict[str, Activations]:
        path = self.place.activations()
        checked(path, self.place.directory, self.digests)
        return read_activations(path)

    def _vouch(self, path: Path) -> None:
        """Takes a file that was just written among those that the record vouches for."""
        if self.digests is not None:
            content = files.read_bytes(path)
            self.digests = {**self.digests, name_of(path, self.place.directory): digest(content)}

    def _check_recipe(self, recipe: ProposalRecipe) -> None:
        path = self.place.recipe(self.cell.recipe)
        if files.read_json(path) != recipe.to_json():
            raise DataError(f"the recipe {self.cell.recipe!r} was another one then", path=path)

    def _forget_scores(self) -> None:
        """Scores of segments that are about to be replaced."""
        for place in (self.place.scores, self.place.diagnosis):
            for path in place(self.cell.recipe, "any").parent.glob("*.json"):
                files.remove(path)
                if self.digests is not None:
                    name = name_of(path, self.place.directory)
                    self.digests = {key: self.digests[key] for key in self.digests if key != name}

    def _localize(
        self, activations: Mapping[str, Activations], recipe: ProposalRecipe
    ) -> Detections:
        with self.watch.time("localize"):
            proposals = {name: localize(value, recipe) for name, value in activations.items()}
        detections = Detections.from_proposals(proposals, self.dataset.class_names)
        self._forget_scores()  # not before: a recipe that does not fit leaves all as it was
        self._write_detections(self.cell.recipe, "test", detections, recipe)
        return detections

    def _write_detections(
        self, choice: str, split: Split, detections: Detections, recipe: ProposalRecipe
    ) -> None:
        path = self.place.detections(choice, split)
        files.make_folder(path.parent)
        detections_to_npz(detections, path)
        self._vouch(path)
        # after the segments: one that does not fit them makes them be cut again
        files.write_json(self.place.recipe(choice), recipe.to_json())

    def _readable_activations(self) -> Mapping[str, Activations] | None:
        """None where they are damaged: segments and scores do not need them any more."""
        try:
            return self._stored_activations()
        except UnreadableError:
            raise
        except DataError as error:
            self.note(f"{error}; diagnosed without them")
            return None

    def _evaluate(
        self, detections: Detections, activations: Mapping[str, Activations] | None
    ) -> Scores:
        truth, rules = self._truth(), self.cell.protocol
        with self.watch.time("evaluate"):
            scores = evaluate(truth, detections, rules)
        # before the scores: scores that are there are not made again
        path = self.place.diagnosis(self.cell.recipe, rules.name)
        write_diagnosis(path, truth, detections, scores, activations)
        path = self.place.scores(self.cell.recipe, rules.name)
        files.make_folder(path.parent)
        files.write_json(path, scores.to_json())
        self._vouch(path)
        return scores

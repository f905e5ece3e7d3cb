"""A stored run as the tables see it: what it was, what it scored, what it cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from wsal_bench.evaluation import Scores
from wsal_bench.evaluation.floors import FLOORS
from wsal_bench.running.coverage import Coverage

Kind = Literal["method", "floor", "ceiling"]


@dataclass(frozen=True, eq=False)
class ScoredRun:
    """One cell under one protocol and one recipe.

    Args:
        dataset: name of the data set.
        method: name of the method, `floor:...` or `ceiling:...`.
        variant: name of the variant or control; empty where the method has one form.
        data_seed: seed of the data; 0 where they are not drawn.
        seed: training seed.
        scores: None where the cell failed.
        error: why it failed, in a sentence.
        options: the method's resolved options.
        data: the data set's version, options and fingerprint.
        settings: whatever else decides the run, by name: threads, precision, parents.
        seeded: the data set's data are drawn from a seed.
        track: what the run was allowed to know.
        selection: how it was selected.
        budget: how its options were found, and those of its parents.
        quick: it is of a quick run.
        source: the data set as `--datasets` names it.
        coverage: how much there was to score; None where its record does not say.
        by_hand: options that somebody set for this run.
        parameters: numbers that were learnt.
        seconds: by stage: train, infer, localize, evaluate.
        paper: published mAP in percent on this data set, by average or tIoU.
        own_segments: the method made its segments itself, through no recipe.
        read: reads the scores with what became of each detection; None: `scores` has it.
        mark: which file of scores it is, with its stamp; empty where it is not known.
    """

    dataset: str
    method: str
    variant: str = ""
    data_seed: int = 0
    seed: int = 0
    scores: Scores | None = None
    error: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeded: bool = False
    track: str = ""
    selection: str = "none"
    budget: str = ""
    by_hand: tuple[str, ...] = ()
    parameters: int | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    paper: Mapping[str, float] = field(default_factory=dict)
    own_segments: bool = False
    quick: bool = False
    source: str = ""
    coverage: Coverage | None = None
    read: Callable[[], Scores] | None = None
    mark: str = ""

    @property
    def full_scores(self) -> Scores | None:
        """The scores with what became of each detection, read now where they were not."""
        return self.scores if self.read is None else self.read()

    @property
    def kind(self) -> Kind:
        """A method, or a reference row below or above all methods."""
        if self.method in FLOORS:
            return FLOORS[self.method].kind
        return "method"

    @property
    def name(self) -> str:
        """`ftcl:full`, or the method alone."""
        return f"{self.method}:{self.variant}" if self.variant else self.method

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything but the seeds that tells two runs of one name apart."""
        return {
            **self.options,
            **{f"data.{key}": value for key, value in self.data.items()},
            **self.settings,
        }

    @cached_property
    def group(self) -> tuple[str, str]:
        """What the runs of one row have in common: name, and options as text.

        An option that was set by hand to the value it has anyhow counts as set by hand too.
        """
        identity = json.dumps(self.identity, sort_keys=True, default=str)
        return self.name, f"{bool(self.by_hand)} {identity}"

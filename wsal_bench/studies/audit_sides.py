"""What an audit holds against each other: all seeds of a stored run, or a file of detections."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation import Protocol, Scores
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.results import RunFiles, StoredRun
from wsal_bench.running.results import open_run as stored_run
from wsal_bench.studies.rescore import score_first_fit
from wsal_bench.studies.stored import scored_run
from wsal_bench.studies.targets import Target, open_run
from wsal_bench.types import Detections

Place = tuple[int, int]  # (data_seed, seed)

_FILE = -1  # the seed of a file, which nobody knows: no run has it


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two that are compared.

    Args:
        target: as it was named.
        place: its data seed and seed; of a file a seed that no run has.
        seeds: what is compared, by data seed and seed; itself among them.
        siblings: all seeds in the store, itself among them; empty for a file.
    """

    target: Target
    place: Place
    seeds: Mapping[Place, Target]
    siblings: Mapping[Place, Target]

    @property
    def is_run(self) -> bool:
        """Whether it is a stored run."""
        return self.target.run is not None

    @property
    def title(self) -> str:
        """What is compared: `hapt/mil, 6 seeds`; one seed by its own name."""
        if len(self.seeds) < 2:
            return self.target.name
        name, at, _ = self.target.name.rpartition("@")
        plain = name if at else self.target.name
        quick = " (QUICK)" if self.target.name.endswith(" (QUICK)") else ""
        return f"{plain}{quick}, {len(self.seeds)} seeds"


@dataclass(frozen=True, eq=False)
class Sides:
    """Two sides that can be compared.

    Args:
        a: the first.
        b: the second.
        one_method: both are seeds of one method with the same options.
        left_out: seeds of either that the other has no data for.
    """

    a: Side
    b: Side
    one_method: bool
    left_out: int = 0


def sides_of(a: Target, b: Target) -> Sides:
    """Both with all their seeds; a file that holds the segments of a seed beside it is that seed.

    Raises:
        UsageError: they were tested on different videos or truths.
        DataError: files of a seed in the store are missing or damaged.
    """
    siblings = [_siblings(one) if one.run is not None else {} for one in (a, b)]
    a, b = _recognised(a, siblings[1]), _recognised(b, siblings[0])
    if a.run is not None and b.run is not None:
        siblings = [siblings[0] or siblings[1], siblings[1] or siblings[0]]
        if _row(a.run) == _row(b.run):
            _check_truths(a, b)
            alone = [
                Side(one, _place(one), {_place(one): one}, siblings[0] | {_place(one): one})
                for one in (a, b)
            ]
            return Sides(alone[0], alone[1], one_method=True)
    seeds = [found or {_place_of_file(other): one}
             for one, other, found in ((a, b, siblings[0]), (b, a, siblings[1]))]  # fmt: skip
    shared = {place[0] for place in seeds[0]} & {place[0] for place in seeds[1]}
    if not shared:
        _check_truths(a, b)
        raise _different(a, b)
    kept = [{p: one for p, one in side.items() if p[0] in shared} for side in seeds]
    for data_seed in shared:
        first, second = (next(t for p, t in side.items() if p[0] == data_seed) for side in kept)
        _check_truths(first, second)
    sides = [
        Side(one, _place(one) if one.run else next(iter(part)), part, found)
        for one, part, found in zip((a, b), kept, siblings, strict=True)
    ]
    left_out = sum(len(side) for side in seeds) - sum(len(side) for side in kept)
    return Sides(sides[0], sides[1], one_method=False, left_out=left_out)


def scores_of(seeds: Mapping[Place, Target], protocol: Protocol) -> dict[Place, Scores]:
    """Each under one protocol.

    Raises:
        UsageError: the protocol fits none of the truths.
    """
    return {place: scored(one.detections, one, protocol) for place, one in seeds.items()}


def scored(detections: Detections, target: Target, protocol: Protocol) -> Scores:
    """Detections under a protocol that must fit one of the target's truths.

    Raises:
        UsageError: it fits none.
    """
    found = score_first_fit(detections, target.truths, protocol)
    if found.scores is None:
        raise UsageError(found.problem)
    return found.scores


def _siblings(target: Target) -> dict[Place, Target]:
    """All seeds of a run's row that its store holds under the recipe, itself among them."""
    assert target.run is not None
    directory = target.run.directory.absolute()
    row, found, catalog = _row(target.run), {_place(target): target}, Catalog()
    for record in sorted(directory.parents[1].glob("*/seed*/record.json")):
        try:
            run = stored_run(record.parent)
            known = run.failed or not RunFiles(run.directory).detections(target.recipe).exists()
            if known or not record.parent.as_posix().endswith(run.spec.key):
                continue
            if _place_of(run) not in found and _row(run) == row:
                found[_place_of(run)] = open_run(record.parent, target.recipe, catalog)
        except DataError as error:
            raise DataError(f"seed beside {target.name}: {error.message}", path=record) from error
    return dict(sorted(found.items()))


def _recognised(file: Target, seeds: Mapping[Place, Target]) -> Target:
    """A file that holds what one of these seeds has found is that seed."""
    if file.run is not None:
        return file
    rows = _sorted_rows(file.detections)
    for one in seeds.values():
        others = _sorted_rows(one.detections) if len(one.detections) == len(rows) else []
        if rows and rows == others:
            return replace(file, run=one.run, recipe=one.recipe, class_names=one.class_names)
    return file


def _sorted_rows(found: Detections) -> list[tuple[object, ...]]:
    names = [np.array(found.video_ids)[found.video], np.array(found.class_names)[found.label]]
    columns = [*names, found.start, found.end, found.score]
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def _row(run: StoredRun) -> str:
    """What all seeds of one row of a table have in common."""
    found = scored_run(replace(run, directory=run.directory.absolute()), None)
    identity = [found.dataset, found.name, found.quick, found.track, found.identity]
    return json.dumps(identity, sort_keys=True, default=str)


def _place_of(run: StoredRun) -> Place:
    return run.spec.data.seed, run.spec.seed


def _place(target: Target) -> Place:
    assert target.run is not None
    return _place_of(target.run)


def _place_of_file(beside: Target) -> Place:
    return (beside.run.spec.data.seed if beside.run is not None else 0), _FILE


def _check_truths(a: Target, b: Target) -> None:
    for first, second in zip(a.truths, b.truths, strict=False):
        same = first.video_ids == second.video_ids and all(
            np.array_equal(getattr(first, name), getattr(second, name))
            for name in ("video", "start", "end", "label")
        )
        if not same:
            raise _different(a, b)


def _different(a: Target, b: Target) -> UsageError:
    return UsageError(
        f"{a.name} and {b.name} were tested on different videos or truths",
        hint="an audit compares detections of the same test videos",
    )

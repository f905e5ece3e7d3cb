"""The audit of two targets: what files and stored runs let one say about their difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np

from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation import Protocol
from wsal_bench.evaluation.formats import detections_from_npz
from wsal_bench.localization import localize
from wsal_bench.localization.recipe import COMMON, ProposalRecipe
from wsal_bench.running.activation_file import read_activations
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.running.recipe_file import recipe_from_json
from wsal_bench.running.results import RunFiles, StoredRun, open_run
from wsal_bench.studies.audit import (
    Audit,
    Crossed,
    Part,
    Recipes,
    Spread,
    common_measure,
    cross_protocols,
    mean_headline,
    over_videos,
    scored,
    with_headline,
)
from wsal_bench.studies.targets import Target
from wsal_bench.types import Activations, Detections

_SEED = 0  # of the resampling: the same detections give the same interval


def audit(a: Target, b: Target, protocol_a: Protocol, protocol_b: Protocol) -> Audit:
    """What the difference between two targets is made of.

    Args:
        a: the first.
        b: the second, with the same truths.
        protocol_a: the rules that A was scored under.
        protocol_b: B's.

    Raises:
        UsageError: targets with different truths, or protocols that do not fit them.
        DataError: files of a run are missing or damaged.
    """
    _check_truths(a, b)
    measure = common_measure(protocol_a, protocol_b)
    rules = (with_headline(protocol_a, measure), with_headline(protocol_b, measure))
    crossed, by_protocol = cross_protocols(a.detections, b.detections, a.truths, rules)
    recipe, recipes = _recipe(a, b, rules, crossed.things)
    videos, under, problem = over_videos(by_protocol, lambda: np.random.default_rng(_SEED))
    return Audit(
        name_a=a.name,
        name_b=b.name,
        measure=measure,
        protocol_a=rules[0],
        protocol_b=rules[1],
        protocols=crossed,
        recipe=recipe,
        recipes=recipes,
        selection=_selection(a, b),
        seeds_a=_seeds(a, rules[0]),
        seeds_b=_seeds(b, rules[1]),
        videos=videos,
        videos_under=under,
        videos_problem=problem,
    )


def _check_truths(a: Target, b: Target) -> None:
    for first, second in zip(a.truths, b.truths, strict=False):
        same = first.video_ids == second.video_ids and all(
            np.array_equal(getattr(first, name), getattr(second, name))
            for name in ("video", "start", "end", "label")
        )
        if not same:
            raise UsageError(
                f"{a.name} and {b.name} were tested on different videos or truths",
                hint="an audit compares detections of the same test videos",
            )


def _recipe(
    a: Target, b: Target, rules: Sequence[Protocol], things: float
) -> tuple[Part, Recipes | None]:
    """The recipe's part of what the detections make, and what it is of."""
    runs = [target.run for target in (a, b)]
    if runs[0] is None or runs[1] is None:
        return Part(None, "a file of detections holds no activations to cut again"), None
    own = []
    for run in runs:
        assert run is not None
        if run.record["own_recipe"]:
            return Part(None, f"{run.spec.name} cuts its segments itself"), None
        own.append(recipe_from_json(run.record["recipe"], RunFiles(run.directory).record))
    used = [
        recipe if target.recipe == OWN_RECIPE else _stored_recipe(target)
        for recipe, target in zip(own, (a, b), strict=True)
    ]
    activations = [_activations(run) for run in runs]

    def value(which: int, recipe: ProposalRecipe) -> float:
        cut = _cut(activations[which], recipe, (a, b)[which].class_names)
        return mean_headline(cut, a.truths, rules)

    commons: tuple[float | None, float | None] = (None, None)
    with suppress(UsageError):  # `common` needs class scores, which not every method gives
        commons = value(0, COMMON), value(1, COMMON)
    try:
        crossed = Crossed(*(value(which, recipe) for which in (0, 1) for recipe in used))
    except UsageError as error:
        part = _through_common(things, *commons, str(error.message))
        return part, Recipes(None, *commons)
    return Part(crossed.condition, how="exchanged between the two"), Recipes(crossed, *commons)


def _through_common(things: float, a: float | None, b: float | None, problem: str) -> Part:
    """What of the difference is gone where both are cut by one recipe."""
    if a is None or b is None:
        return Part(None, f"a recipe does not fit the other's activations: {problem}")
    return Part(
        things - (a - b), how="gone where both are cut by common, as own recipes do not fit"
    )


def _stored_recipe(target: Target) -> ProposalRecipe:
    from wsal_bench.files import read_json

    assert target.run is not None
    path = RunFiles(target.run.directory).recipe(target.recipe)
    return recipe_from_json(read_json(path), path)


def _activations(run: StoredRun | None) -> Mapping[str, Activations]:
    assert run is not None
    return read_activations(run.whole(RunFiles(run.directory).activations()))


def _cut(
    activations: Mapping[str, Activations], recipe: ProposalRecipe, class_names: Sequence[str]
) -> Detections:
    proposals = {name: localize(value, recipe) for name, value in activations.items()}
    return Detections.from_proposals(proposals, class_names)


def _selection(a: Target, b: Target) -> Part:
    """What choosing an epoch on the test set did."""
    if a.run is None or b.run is None:
        return Part(None, "a file of detections does not say which epoch it is of")
    chosen = {target.run.spec.track.selection for target in (a, b) if target.run is not None}
    if chosen == {"none"}:
        return Part(0.0)  # both are the last epoch of preset values: nothing was chosen on test
    return Part(
        None,
        f"the runs' selections are {', '.join(sorted(chosen))}, and runs hold no test scores of "
        "other epochs",
    )


def _seeds(target: Target, protocol: Protocol) -> Spread | None:
    """The spread over the seeds of a run's specification in its store."""
    if target.run is None:
        return None
    values = []
    for path in sorted(target.run.directory.absolute().parent.glob("seed*/record.json")):
        place = RunFiles(path.parent)
        try:
            run, cut = open_run(path.parent), place.detections(target.recipe)
            if run.failed or not cut.exists():
                continue
            detections = detections_from_npz(run.whole(cut))
        except DataError as error:
            raise DataError(f"seed beside {target.name}: {error.message}", path=path) from error
        values.append(scored(detections, target.truths, protocol).headline)
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Spread(len(values), std)

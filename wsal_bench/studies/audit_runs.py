"""The audit of two targets: what files and stored runs let one say about their difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np

from wsal_bench.errors import UsageError
from wsal_bench.evaluation import Protocol, Scores
from wsal_bench.evaluation.resampling import obstacle
from wsal_bench.localization import localize
from wsal_bench.localization.recipe import COMMON, ProposalRecipe
from wsal_bench.running.activation_file import read_activations
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.running.recipe_file import recipe_from_json
from wsal_bench.running.results import RunFiles
from wsal_bench.statistics import nested_mean_std
from wsal_bench.statistics.two_sides import difference_of_means
from wsal_bench.studies.audit import (
    Audit,
    Crossed,
    Effect,
    Part,
    Recipes,
    check_versions,
    common_measure,
    with_headline,
)
from wsal_bench.studies.audit_seeds import Seeds, Spread
from wsal_bench.studies.audit_sides import Place, Side, Sides, scored, scores_of, sides_of
from wsal_bench.studies.targets import Target
from wsal_bench.types import Detections


def audit(a: Target, b: Target, protocol_a: Protocol, protocol_b: Protocol) -> Audit:
    """What the difference between two targets is made of, over all seeds that the store holds.

    Args:
        a: the first.
        b: the second, with the same truths.
        protocol_a: the rules that A was scored under.
        protocol_b: B's.

    Raises:
        UsageError: targets with different truths, or protocols that do not fit them.
        DataError: files of a run are missing or damaged.
    """
    return audit_sides(sides_of(a, b), protocol_a, protocol_b)


def audit_sides(sides: Sides, protocol_a: Protocol, protocol_b: Protocol) -> Audit:
    """The same for sides whose seeds are known."""
    a, b = sides.a, sides.b
    measure = common_measure(protocol_a, protocol_b)
    rules = (with_headline(protocol_a, measure), with_headline(protocol_b, measure))
    check_versions(*rules)
    by_protocol = {one.name: [scores_of(side.seeds, one) for side in (a, b)] for one in rules}
    crossed = _crossed(by_protocol, rules)
    recipe, recipes = _recipe(a, b, rules, crossed.things)
    return Audit(
        name_a=a.title,
        name_b=b.title,
        named_a=a.target.name,
        named_b=b.target.name,
        measure=measure,
        protocol_a=rules[0],
        protocol_b=rules[1],
        protocols=crossed,
        effects=tuple(_effect(name, *pair) for name, pair in by_protocol.items()),
        recipe=recipe,
        recipes=recipes,
        selection=_selection(a.target, b.target),
        seeds=Seeds(
            a=_spread(a, rules[0]),
            b=_spread(b, rules[1]),
            num_a=len(a.seeds),
            num_b=len(b.seeds),
            shared=len(set(a.seeds) & set(b.seeds)),
            one_method=sides.one_method,
            one_run=sides.one_method and a.place == b.place,
            left_out=sides.left_out,
        ),
    )


def _crossed(
    by_protocol: Mapping[str, Sequence[Mapping[Place, Scores]]], rules: Sequence[Protocol]
) -> Crossed:
    (a_first, b_first), (a_second, b_second) = (
        [_mean({place: one.headline for place, one in side.items()}) for side in by_protocol[name]]
        for name in (one.name for one in rules)
    )
    return Crossed(a_first, a_second, b_first, b_second)


def _mean(values: Mapping[Place, float]) -> float:
    return nested_mean_std(values).mean


def _effect(under: str, a: Mapping[Place, Scores], b: Mapping[Place, Scores]) -> Effect:
    """A minus B under one protocol, with its interval where there can be one."""
    value = _mean({p: one.headline for p, one in a.items()}) - _mean(
        {p: one.headline for p, one in b.items()}
    )
    if problem := next(filter(None, map(obstacle, (*a.values(), *b.values()))), ""):
        return Effect(under, value, None, problem)
    try:
        return Effect(under, value, difference_of_means(a, b))
    except ValueError as error:  # too few groups of videos
        return Effect(under, value, None, str(error))


def _spread(side: Side, protocol: Protocol) -> Spread | None:
    """The scatter over a run's seeds under its protocol."""
    if not side.siblings:
        return None
    found = {p: one.headline for p, one in scores_of(side.siblings, protocol).items()}
    return Spread(found[side.place], found)


def _recipe(
    a: Side, b: Side, rules: Sequence[Protocol], things: float
) -> tuple[Part, Recipes | None]:
    """The recipe's part of what the detections make, and what it is of."""
    if not (a.is_run and b.is_run):
        return Part(None, "a file of detections holds no activations to cut again"), None
    for side in (a, b):
        run = side.target.run
        assert run is not None
        if run.record["own_recipe"]:
            return Part(None, f"{run.spec.name} cuts its segments itself"), None
    used = [_recipe_of(side.target) for side in (a, b)]

    def value(side: Side, recipe: ProposalRecipe) -> float:
        """Mean over seeds and protocols of what a recipe makes of a side's activations."""
        found = {}
        for place, one in side.seeds.items():
            cut = _cut(one, recipe)
            found[place] = float(np.mean([scored(cut, one, rule).headline for rule in rules]))
        return _mean(found)

    commons: tuple[float | None, float | None] = (None, None)
    with suppress(UsageError):  # `common` needs class scores, which not every method gives
        commons = value(a, COMMON), value(b, COMMON)
    try:
        crossed = Crossed(*(value(side, recipe) for side in (a, b) for recipe in used))
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


def _recipe_of(target: Target) -> ProposalRecipe:
    """How a run's segments were cut."""
    from wsal_bench.files import read_json

    assert target.run is not None
    files = RunFiles(target.run.directory)
    if target.recipe == OWN_RECIPE:
        return recipe_from_json(target.run.record["recipe"], files.record)
    path = files.recipe(target.recipe)
    return recipe_from_json(read_json(path), path)


def _cut(target: Target, recipe: ProposalRecipe) -> Detections:
    assert target.run is not None
    activations = read_activations(target.run.whole(RunFiles(target.run.directory).activations()))
    proposals = {name: localize(value, recipe) for name, value in activations.items()}
    return Detections.from_proposals(proposals, target.class_names)


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

"""An audit as a table with a verdict, and as a JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from wsal_bench.report import numbers
from wsal_bench.report.audit_verdict import points, verdict
from wsal_bench.report.escaping import for_markdown
from wsal_bench.report.numbers import average_title
from wsal_bench.report.table import Cell, Column, Table, markdown
from wsal_bench.report.terminal import for_eyes
from wsal_bench.studies.audit import Audit, Effect, Part
from wsal_bench.studies.audit_seeds import Seeds, Spread

SCHEMA = "wsal-bench/audit/2"


def to_markdown(found: Audit) -> str:
    """Each under each protocol, the parts of the difference, and the verdict."""
    title = average_title(found.measure)
    heading = for_markdown(f"{found.name_a} against {found.name_b}")
    lines = [f"# {heading}", "", f"{title} in percent:", ""]
    lines += [markdown(_crossed(found)), "Parts of the difference, in points:", ""]
    lines += [markdown(_parts(found)), for_markdown(verdict(found)), ""]
    return "\n".join(lines)


def to_terminal(found: Audit, *, width: int, styled: bool = True) -> str:
    """The same for eyes; `styled`: bold text may be written."""
    head = f"{found.name_a} against {found.name_b}, {average_title(found.measure)} in percent"
    return "\n".join(
        [
            for_eyes(head, _crossed(found), [], width=width, styled=styled),
            for_eyes(
                "Parts of the difference, in points",
                _parts(found),
                [verdict(found)],
                width=width,
                styled=styled,
            ),
        ]
    )


def content(found: Audit) -> dict[str, Any]:
    """The data of `audit --json`; fractions, A minus B."""
    crossed, recipes, seeds = found.protocols, found.recipes, found.seeds
    return {
        "a": _side(found.named_a, found.protocol_a.name, crossed.a_first, seeds.num_a),
        "b": _side(found.named_b, found.protocol_b.name, crossed.b_second, seeds.num_b),
        "measure": found.measure,
        "difference": crossed.total,
        "protocol": {"value": crossed.condition, "scores": asdict(crossed)},
        "detections": {
            "value": crossed.things,
            "under": [_effect(effect) for effect in found.effects],
        },
        "interaction": {"value": crossed.interaction, "additive": crossed.is_additive},
        "recipe": {
            **_part(found.recipe),
            "scores": asdict(recipes.crossed) if recipes and recipes.crossed else None,
            "common": [recipes.a_common, recipes.b_common] if recipes else None,
        },
        "selection": _part(found.selection),
        "seeds": {
            "a": _spread(seeds.a),
            "b": _spread(seeds.b),
            "paired": seeds.paired,
            "one_method": seeds.one_method,
            "left_out": seeds.left_out,
            "difference_std": seeds.error,
        },
        "verdict": verdict(found),
    }


def _crossed(found: Audit) -> Table:
    values = found.protocols
    columns = (Column("under", "left"), Column(found.name_a), Column(found.name_b))
    rows = [_row(found.protocol_a.name, values.a_first, values.b_first)]
    if not found.one_protocol:
        rows.append(_row(found.protocol_b.name, values.a_second, values.b_second))
    if found.recipes is not None:
        if (cut := found.recipes.crossed) is not None:
            rows.append(_row("A's recipe", cut.a_first, cut.b_first))
            rows.append(_row("B's recipe", cut.a_second, cut.b_second))
        rows.append(_row("recipe common", found.recipes.a_common, found.recipes.b_common))
    return Table((*columns, Column("A - B")), tuple(rows))


def _row(name: str, a: float | None, b: float | None) -> tuple[Cell, ...]:
    apart = None if a is None or b is None else a - b
    return (Cell(name), Cell(numbers.percent(a)), Cell(numbers.percent(b)), Cell(points(apart)))


def _parts(found: Audit) -> Table:
    crossed = found.protocols
    rest = None if found.recipe.value is None else crossed.things - found.recipe.value
    rows = [*(_one_rule(found) if found.one_protocol else _two_rules(found))]
    rows += [
        ("- recipe", points(found.recipe.value), _how(found.recipe)),
        ("- activations", points(rest), "of the detections, what is left"),
        (
            "selection",
            points(found.selection.value),
            found.selection.problem or "nothing was chosen",
        ),
        ("seeds", _seed_points(found.seeds), _seed_note(found.seeds)),
    ]
    columns = (Column("part", "left"), Column("points"), Column("what it is", "left"))
    return Table(columns, tuple(tuple(Cell(text) for text in row) for row in rows))


def _one_rule(found: Audit) -> list[tuple[str, str, str]]:
    (effect,) = found.effects
    note = effect.problem or _interval_note(effect, found.seeds)
    return [("all of it", _interval(effect), f"A - B; {note}")]


def _two_rules(found: Audit) -> list[tuple[str, str, str]]:
    """Main effects, what they are the means of, and how far apart those are."""
    crossed = found.protocols
    under = [
        (f"- under {one.under}", _interval(one), one.problem or _interval_note(one, found.seeds))
        for one in found.effects
    ]
    return [
        ("all of it", points(crossed.total), "each under its own protocol"),
        ("protocol", points(crossed.condition), _rules_note(found)),
        ("detections", points(crossed.things), _detections_note(found)),
        *under,
        ("interaction", points(crossed.interaction), _interaction_note(found)),
    ]


def _rules_note(found: Audit) -> str:
    """What the rules do to each."""
    crossed = found.protocols
    a, b = crossed.a_first - crossed.a_second, crossed.b_first - crossed.b_second
    return f"main effect of the rules, the mean of {points(a)} for A and {points(b)} for B"


def _detections_note(found: Audit) -> str:
    about = "main effect of the detections, the mean of the two below"
    return about if found.protocols.is_additive else f"{about}, which it does not describe"


def _interaction_note(found: Audit) -> str:
    about = "the first of the two above less the second"
    return about if found.protocols.is_additive else f"{about}: no mean describes both"


def _interval(effect: Effect) -> str:
    return points(effect.value) if effect.interval is None else numbers.interval(effect.interval)


def _interval_note(effect: Effect, seeds: Seeds) -> str:
    assert effect.interval is not None
    part = "95 %, from what each video does to both"
    if effect.interval.seed_error is None:
        return f"{part}; the luck of the seeds is not in it"
    return f"{part}; {seeds.num_a} against {seeds.num_b} seeds, {seeds.paired} of them paired"


def _how(recipe: Part) -> str:
    return recipe.problem or f"of the detections, how they were cut: {recipe.how}"


def _seed_points(seeds: Seeds) -> str:
    return numbers.DASH if seeds.error is None else f"± {100 * seeds.error:.1f}"


def _seed_note(seeds: Seeds) -> str:
    sides = [_seeds_of("A", seeds.a), _seeds_of("B", seeds.b)]
    if seeds.left_out:
        sides.append(f"{seeds.left_out} left out: the other has no run on their data")
    return "standard deviation of a difference of single seeds; " + ", ".join(sides)


def _seeds_of(name: str, spread: Spread | None) -> str:
    if spread is None:
        return f"{name}: a file has no seeds"
    if spread.std is None:
        return f"{name}: one seed in the store"
    own = f", the named one {numbers.percent(spread.own)}"
    own += f", the {spread.place}" if spread.place else ""
    return f"{name}: ± {100 * spread.std:.1f} over {spread.num_seeds} seeds{own}"


def _side(name: str, rules: str, score: float, num_seeds: int) -> dict[str, Any]:
    return {"name": name, "protocol": rules, "score": score, "num_seeds": num_seeds}


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "protocol": effect.under,
        "value": effect.value,
        "interval": asdict(effect.interval) if effect.interval else None,
        "problem": effect.problem or None,
    }


def _spread(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None:
        return None
    names = ("own", "mean", "std", "num_seeds")
    values = {name: getattr(spread, name) for name in names}
    return {**values, "place": spread.place or None}


def _part(part: Part) -> dict[str, Any]:
    return {"value": part.value, "problem": part.problem or None, "how": part.how or None}

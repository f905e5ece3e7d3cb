"""An audit as a table with a verdict, and as a JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from wsal_bench.report import numbers
from wsal_bench.report.escaping import for_markdown
from wsal_bench.report.numbers import average_title
from wsal_bench.report.table import Cell, Column, Table, markdown
from wsal_bench.report.terminal import for_eyes
from wsal_bench.statistics.comparison import LEVEL
from wsal_bench.studies.audit import Audit, Part, Spread

SCHEMA = "wsal-bench/audit/1"
_ZERO = 5e-12  # of fractions: below it a difference is rounding


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


def verdict(found: Audit) -> str:
    """The whole audit in a sentence."""
    crossed, same = found.protocols, found.protocol_a.name == found.protocol_b.name
    where = f"both under {found.protocol_a.name}" if same else "each under its own protocol"
    score = f"{numbers.percent(crossed.a_first)} against {numbers.percent(crossed.b_second)}"
    title = average_title(found.measure)
    if abs(crossed.total) < _ZERO and abs(crossed.things) < _ZERO:
        return f"{found.name_a} and {found.name_b} do not differ: {title} {score}, {where}."
    parts = [] if same else [f"the protocols make {_points(crossed.condition)} of it"]
    if found.recipe.value is not None:
        parts.append(f"the recipes {_points(found.recipe.value)}")
        parts.append(f"the activations {_points(crossed.things - found.recipe.value)}")
    else:
        parts.append(f"the detections themselves {_points(crossed.things)}")
    return (
        f"{found.name_a} and {found.name_b} differ by {_points(crossed.total)} points of {title} "
        f"({score}, {where}): {', '.join(parts)}; {_noise(found)}."
    )


def content(found: Audit) -> dict[str, Any]:
    """The data of `audit --json`; fractions, A minus B."""
    crossed, recipes = found.protocols, found.recipes
    return {
        "a": {"name": found.name_a, "protocol": found.protocol_a.name, "score": crossed.a_first},
        "b": {"name": found.name_b, "protocol": found.protocol_b.name, "score": crossed.b_second},
        "measure": found.measure,
        "difference": crossed.total,
        "protocol": {"value": crossed.condition, "scores": asdict(crossed)},
        "detections": {"value": crossed.things},
        "recipe": {
            **_part(found.recipe),
            "scores": asdict(recipes.crossed) if recipes and recipes.crossed else None,
            "common": [recipes.a_common, recipes.b_common] if recipes else None,
        },
        "selection": _part(found.selection),
        "seeds": {
            "a": asdict(found.seeds_a) if found.seeds_a else None,
            "b": asdict(found.seeds_b) if found.seeds_b else None,
            "difference_std": found.seed_error,
        },
        "videos": asdict(found.videos) if found.videos else None,
        "videos_under": found.videos_under or None,
        "videos_problem": found.videos_problem or None,
        "verdict": verdict(found),
    }


def _crossed(found: Audit) -> Table:
    values = found.protocols
    columns = (Column("under", "left"), Column(found.name_a), Column(found.name_b))
    rows = [_row(found.protocol_a.name, values.a_first, values.b_first)]
    if found.protocol_b.name != found.protocol_a.name:
        rows.append(_row(found.protocol_b.name, values.a_second, values.b_second))
    if found.recipes is not None:
        if (cut := found.recipes.crossed) is not None:
            rows.append(_row("A's recipe", cut.a_first, cut.b_first))
            rows.append(_row("B's recipe", cut.a_second, cut.b_second))
        rows.append(_row("recipe common", found.recipes.a_common, found.recipes.b_common))
    return Table(columns, tuple(rows))


def _row(name: str, a: float | None, b: float | None) -> tuple[Cell, ...]:
    return (Cell(name), Cell(numbers.percent(a)), Cell(numbers.percent(b)))


def _parts(found: Audit) -> Table:
    crossed = found.protocols
    rest = None if found.recipe.value is None else crossed.things - found.recipe.value
    rows = [
        ("all of it", _points(crossed.total), "each under its own protocol"),
        ("protocol", _points(crossed.condition), "what exchanging the rules does"),
        ("detections", _points(crossed.things), "what exchanging the detections does"),
        ("- recipe", _value(found.recipe), _how(found.recipe)),
        ("- activations", _points(rest), "of that, what is left"),
        ("selection", _value(found.selection), found.selection.problem or "nothing was chosen"),
        ("seeds", _seed_points(found), _seed_note(found)),
        ("videos", _video_points(found), _video_note(found)),
    ]
    columns = (Column("part", "left"), Column("points"), Column("what it is", "left"))
    return Table(columns, tuple(tuple(Cell(text) for text in row) for row in rows))


def _noise(found: Audit) -> str:
    if found.videos is None:
        return "how sure that is cannot be said"
    inside = "inside" if found.videos.p_value > LEVEL else "outside"
    interval = numbers.interval(found.videos)
    seeds = found.seed_error
    luck = (
        "the luck of the seeds is not known"
        if seeds is None
        else f"two single seeds differ by ± {100 * seeds:.1f} (one standard deviation)"
    )
    return (
        f"under {found.videos_under} the detections differ by {interval} (95 %), {inside} the "
        f"noise of the test videos, and {luck}"
    )


def _how(recipe: Part) -> str:
    return recipe.problem or f"of that, how they were cut: {recipe.how}"


def _seed_points(found: Audit) -> str:
    return numbers.DASH if found.seed_error is None else f"± {100 * found.seed_error:.1f}"


def _seed_note(found: Audit) -> str:
    sides = [_side("A", found.seeds_a), _side("B", found.seeds_b)]
    return "standard deviation of a difference of single seeds; " + ", ".join(sides)


def _side(name: str, spread: Spread | None) -> str:
    if spread is None:
        return f"{name}: a file has no seeds"
    if spread.std is None:
        return f"{name}: one seed in the store"
    return f"{name}: ± {100 * spread.std:.1f} over {spread.num_seeds} seeds"


def _video_points(found: Audit) -> str:
    return numbers.interval(found.videos)


def _video_note(found: Audit) -> str:
    if found.videos is None:
        return found.videos_problem
    count = found.videos.num_resamples
    return f"detections under {found.videos_under}, 95 % of {count:,} paired resamples of videos"


def _part(part: Part) -> dict[str, Any]:
    return {"value": part.value, "problem": part.problem or None, "how": part.how or None}


def _value(part: Part) -> str:
    return _points(part.value)


def _points(value: float | None) -> str:
    if value is None:
        return numbers.DASH
    return f"{100 * value:+.1f}" if abs(value) >= _ZERO else "0.0"

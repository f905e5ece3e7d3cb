"""An audit in sentences that stay true when they are quoted without the tables."""

from __future__ import annotations

from wsal_bench.report import numbers
from wsal_bench.report.numbers import average_title
from wsal_bench.statistics.comparison import LEVEL
from wsal_bench.studies.audit import Audit, Effect
from wsal_bench.studies.audit_seeds import Spread

_ZERO = 5e-12  # of fractions: below it a difference is rounding


def points(value: float | None) -> str:
    """A difference in points with its sign; 0.0 has none."""
    if value is None:
        return numbers.DASH
    text = f"{100 * value:+.1f}"
    return "0.0" if float(text) == 0 else text


def verdict(found: Audit) -> str:
    """The whole audit in a few sentences."""
    crossed = found.protocols
    if found.one_protocol and _alike(found):
        return (
            f"{found.name_a} and {found.name_b} do not differ: {average_title(found.measure)} "
            f"{_scores(found)}."
        )
    if found.seeds.one_method and not found.seeds.one_run:
        return _one_method(found)
    lead = (
        f"{found.name_a} and {found.name_b} differ by {points(crossed.total)} points of "
        f"{average_title(found.measure)} ({_scores(found)})"
    )
    sentences = [f"{lead}: {_split(found)}.", *_best_of(found), *_unknown_luck(found)]
    return " ".join(sentences)


def _alike(found: Audit) -> bool:
    return abs(found.protocols.total) < _ZERO and abs(found.protocols.things) < _ZERO


def _scores(found: Audit) -> str:
    where = f"both under {found.protocol_a.name}"
    if not found.one_protocol:
        where = f"{found.protocol_a.name} and {found.protocol_b.name}"
    scores = found.protocols.a_first, found.protocols.b_second
    first, second = (numbers.percent(score) for score in scores)
    return f"{first} against {second}, {where}"


def _split(found: Audit) -> str:
    """What makes the difference; no mean of two effects without the two."""
    crossed = found.protocols
    if found.one_protocol:
        (effect,) = found.effects
        sure = _sure(effect, "as a whole")
        return sure if found.recipe.value is None else f"{_things(found, crossed.things)}; {sure}"
    if abs(crossed.things) < _ZERO and abs(crossed.interaction) < _ZERO:
        return "all of it is the protocols', the detections do not differ under either"
    each = "; ".join(
        _sure(effect, f"under {effect.under} the detections differ by") for effect in found.effects
    )
    rules = [crossed.a_first - crossed.a_second, crossed.b_first - crossed.b_second]
    if crossed.is_additive:
        return (
            f"the protocols make {points(crossed.condition)} of it, "
            f"{_things(found, crossed.things)} (interaction {points(crossed.interaction)}); {each}"
        )
    first, second = (effect.under for effect in found.effects)
    return (
        f"this cannot be split into a part of the protocols and a part of the detections, as each "
        f"depends on the other (interaction {points(crossed.interaction)}): {each}; "
        f"going from {second} to {first} moves A by {points(rules[0])} and B by {points(rules[1])}"
    )


def _things(found: Audit, things: float) -> str:
    if found.recipe.value is None:
        return f"the detections themselves {points(things)}"
    return (
        f"the recipes {'make ' if found.one_protocol else ''}{points(found.recipe.value)}, "
        f"the activations {points(things - found.recipe.value)}"
    )


def _sure(effect: Effect, where: str) -> str:
    """A minus B under one protocol, and whether chance explains it."""
    if effect.interval is None:
        return f"{where} {points(effect.value)}, and how sure that is cannot be said"
    inside = "inside" if effect.interval.p_value > LEVEL else "outside"
    noise = "videos" if effect.interval.seed_error is None else "videos and seeds"
    text = numbers.interval(effect.interval)
    return f"{where} {text} (95 %), {inside} the noise of the {noise}"


def _one_method(found: Audit) -> str:
    """Two seeds of one row: whatever the difference, it says nothing about methods."""
    crossed, spread = found.protocols, found.seeds.a
    assert spread is not None
    lead = (
        f"{found.name_a} and {found.name_b} are one method with other seeds: their difference of "
        f"{points(crossed.total)} points of {average_title(found.measure)} ({_scores(found)}) "
        "says nothing about methods"
    )
    if not found.one_protocol:
        parts = f"{points(crossed.condition)} of it, the seeds {points(crossed.things)}"
        lead += f"; the protocols make {parts}"
    assert spread.std is not None  # both seeds are there
    own = f"{numbers.percent(spread.mean)} ± {numbers.percent(spread.std)}"
    return (
        f"{lead}. Over the {spread.num_seeds} seeds in the store it scores {own} under "
        f"{found.protocol_a.name}, so two single seeds differ by "
        f"± {numbers.percent(spread.std * 2**0.5)} (one standard deviation)."
    )


def _best_of(found: Audit) -> list[str]:
    """That a run was named which is the best, or the worst, of its seeds."""
    sentences = []
    for name, spread, rules in (
        (found.named_a, found.seeds.a, found.protocol_a.name),
        (found.named_b, found.seeds.b, found.protocol_b.name),
    ):
        if spread is not None and spread.place:
            off = points(spread.own - spread.mean)
            sentences.append(
                f"{name} is the {spread.place} of {spread.num_seeds} seeds: quoted alone, its "
                f"{numbers.percent(spread.own)} under {rules} lies {off} from their mean of "
                f"{numbers.percent(spread.mean)}, which is what is compared here."
            )
    return sentences


def _unknown_luck(found: Audit) -> list[str]:
    """Whose seed nobody knows the luck of."""
    sides = ((found.named_a, found.seeds.a), (found.named_b, found.seeds.b))
    alone = [
        f"{name} is {'a file' if spread is None else 'the only seed in the store'}"
        for name, spread in sides
        if not _is_known(spread)
    ]
    if len(alone) == len(sides):
        both = {side[1] is None for side in sides}
        lead = f"{alone[0]} and {alone[1]}" if len(both) > 1 else _both(*both)
        return [f"{lead}: the luck of their seeds is not known."]
    return [f"{text}: the luck of its seed is taken to be like the other's." for text in alone]


def _both(files: bool) -> str:
    return "Both are files" if files else "Both are the only seeds in the store"


def _is_known(spread: Spread | None) -> bool:
    return spread is not None and spread.num_seeds > 1

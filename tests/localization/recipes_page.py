"""The generated part of docs/recipes.md; `python -m tests.localization.recipes_page` writes it."""

from collections.abc import Iterator
from pathlib import Path

from wsal_bench import files
from wsal_bench.localization.description import in_words, short
from wsal_bench.localization.recipe import Preset, names, preset
from wsal_bench.localization.rules import ClassRule, GateList, Nms

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
BEGIN, END = "<!-- generated: all recipes -->", "<!-- end -->"


def generated() -> str:
    """The table of all recipes and a section on each."""
    presets = [preset(name) for name in names()]
    lines = [
        "| recipe | class rule | normalised | gates, thresholds | scored on | outer | bonus "
        "| steps | shortest | NMS |",
        "| --- " * 10 + "|",
        *(_row(found) for found in presets),
    ]
    for found in presets:
        lines += _section(found)
    return "\n".join(lines)


def with_generated(page: str) -> str:
    """A page with its generated part made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{generated()}\n\n{END}{after}"


def _row(found: Preset) -> str:
    made = found.recipe
    cells = (
        f"`{found.name}`",
        _classes(made.classes),
        made.normalisation + (", gates too" if made.normalises_gates else ""),
        "<br>".join(_gate(entry) for entry in made.lists),
        "<br>".join(_score(entry) for entry in made.lists),
        f"{made.inflation:g}" if made.lists[0].run_score == "contrast" else "-",
        "<br>".join(
            f"{entry.class_bonus:g}" + (" (constant)" if made.classes.binarised else "")
            for entry in made.lists
        ),
        str(made.scale),
        str(made.min_steps),
        _nms(made.nms) + (f", then {_nms(made.fuse)}" if made.fuse else ""),
    )
    return "| " + " | ".join(cells) + " |"


def _classes(rule: ClassRule) -> str:
    sign = ">" if rule.strict else ">="
    pooled = f"mean of the T // {rule.pooled_ratio} largest " if rule.pooled_ratio else ""
    return f"{pooled}{sign} {rule.threshold:g}, {'else best' if rule.fallback else 'no fallback'}"


def _gate(entry: GateList) -> str:
    cuts = entry.thresholds
    text = f"{cuts[0]:g}"
    if len(cuts) > 1:
        text = f"{cuts[0]:g} to {cuts[-1]:g} ({len(cuts)})"
    if entry.relative:
        text = f"max - {text} of the range"
    if entry.positive:
        text += ", > 0"
    return f"{entry.gate} {'>' if entry.strict else '>='} {text}"


def _score(entry: GateList) -> str:
    text = entry.score if entry.weight == 1 else f"{entry.weight:g} {entry.score}"
    if entry.blend is not None and entry.blend.kind == "product":
        text += f" x {entry.blend.name}"
    elif entry.blend is not None:
        other = entry.blend
        text = f"{other.own_weight:g} {text} + {other.other_weight:g} {other.name}"
    if entry.run_score != "contrast":
        return f"{entry.run_score} of {text}"
    if entry.outer_weight != 1:
        text += f", {entry.outer_weight:g} of the outer mean"
    return text + (", zeroed" if entry.zero_below else "")


def _nms(nms: Nms) -> str:
    if nms.kind == "none":
        return "none"
    size = f"sigma {nms.sigma:g}" if nms.kind == "soft" else f"{nms.threshold:g}"
    plus = f" +1 {'s' if nms.unit == 'seconds' else 'snippet'}" if nms.plus else ""
    return f"{nms.kind} {size}{plus}"


def _section(found: Preset) -> Iterator[str]:
    yield from ("", f"### `{found.name}`", "", f"{found.summary}. {short(found.recipe)}.")
    yield from ("", f"Source: {found.source}.", "", "In words:", "")
    yield from (f"- {sentence}" for sentence in in_words(found.recipe))
    yield from ("", "Needs:", "")
    yield from (f"- `{name}`: {what}" for name, what in found.needs.items())
    if found.quirks:
        yield from ("", "Quirks:", "")
        yield from (f"- {quirk}" for quirk in found.quirks)


if __name__ == "__main__":
    files.write_text(PAGE, with_generated(PAGE.read_text(encoding="utf-8")))

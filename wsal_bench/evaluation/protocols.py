"""Named, versioned rules by which detections become numbers.

A protocol says everything about the scoring and nothing about how the detections came to be. Two
numbers may stand in one table only if their protocols are equal.
"""

from __future__ import annotations

from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.evaluation._protocol import MAX_TIOUS, Protocol, range_name, with_tious
from wsal_bench.evaluation.grids import COMMON_TIOUS
from wsal_bench.evaluation.presets import EARLIER, PRESETS, common
from wsal_bench.evaluation.rules import RULES

__all__ = [
    "COMMON_TIOUS",
    "MAX_TIOUS",
    "RULES",
    "Protocol",
    "common",
    "earlier",
    "names",
    "of_dataset",
    "protocol",
    "range_name",
    "spelled_out",
    "with_tious",
]


def names() -> tuple[str, ...]:
    """The protocols that have a name of their own; `<dataset>/common` exists beside them."""
    return tuple(sorted(PRESETS))


def earlier(name: str) -> tuple[str, ...]:
    """What to call the versions that a name stood for before, oldest first: `name@v1`."""
    return tuple(sorted(old for old in EARLIER if old.rpartition("@v")[0] == name))


def of_dataset(dataset: str) -> tuple[Protocol, ...]:
    """The protocols of a data set by name, `<dataset>/common` first."""
    others = [PRESETS[name] for name in names() if name.startswith(f"{dataset}/")]
    return (common(dataset), *(rules for rules in others if rules.name != f"{dataset}/common"))


def protocol(name: str) -> Protocol:
    """The protocol of that name.

    Args:
        name: one of `names()`, `<dataset>/common` for any data set, or either with `@vN`: the rules
            of that version. An earlier one is called so in tables and files too.

    Raises:
        UsageError: there is none.
    """
    if name in EARLIER:
        return EARLIER[name]
    plain, _, version = name.partition("@v")
    dataset, _, rules = plain.rpartition("/")
    found = PRESETS.get(plain) or (common(dataset) if dataset and rules == "common" else None)
    if found is None or (version and version != f"{found.version}"):
        known = earlier(plain) if found else (*names(), *EARLIER, "<dataset>/common")
        raise UsageError(
            f"no protocol {name!r}" + (f"; version {found.version} is current" if found else ""),
            hint=did_you_mean(name, (plain, *known) if found else known),
        )
    return found


def spelled_out(rules: Protocol) -> dict[str, str]:
    """Every rule of a protocol in words, by field."""
    words = {"tious": ", ".join(map(repr, rules.tious))}
    words |= {name: choices[getattr(rules, name)] for name, choices in RULES.items()}
    if not rules.excluded_videos:
        words["excluded_rule"] = "no video is excluded by name"
    else:
        words["excluded_rule"] += f": {', '.join(rules.excluded_videos)}"
    if rules.time_unit != "seconds":
        words["time_unit"] += f"; {rules.fps:g} frames per second, {rules.stride} to a snippet"
    if rules.needs_videos:
        words["needs_videos"] = f"the truth must have {', '.join(rules.needs_videos)}"
    return words

"""What turns activations into proposals, as one value."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, Literal

from wsal_bench.localization.rules import ClassRule, GateList, Nms, make_floats

NORMALISATIONS: Final = ("none", "min-max", "relu-min-max", "clamped-min-max")


@dataclass(frozen=True)
class ProposalRecipe:
    """Everything between a video's activations and its proposals.

    Args:
        name: its name on the command line, in records and in run directories.
        classes: which classes get proposals.
        lists: the families of proposals of a class; all are concatenated before NMS.
        nms: how overlapping proposals of one class are thinned out.
        normalisation: of the score sequences, before anything else, per video and class: `none`;
            `min-max` to [0, 1] in steps of 1e-6, where a constant sequence becomes all ones (it
            says that the class is everywhere alike, so it gives one proposal as long as the video);
            `relu-min-max`, the published one: minimum and maximum count as 0 where they are below,
            a range of 0 as 1, and what lies below 0 stays below; `clamped-min-max`: the same, then
            cut to [0, 1].
        scale: steps that a snippet is cut into by linear interpolation; 1: none.
        inflation: the outer part of the contrast on each side, as a share of the run's length.
        min_steps: runs of fewer steps are dropped.
        fusion: `concatenate` the lists, then NMS per class; or `streams`: NMS per class and stream,
            then `fuse` per class over what is left of all streams.
        fuse: the second NMS of `streams`.
        normalises_gates: gates are normalised like scores.
        smoothing: window, in snippets, of a moving straight-line fit to the score sequences (a
            Savitzky-Golay filter of order 1); cut to the video's length and made odd; 0: none.
        one_step_more: a proposal, and the run that it is scored on, takes the step after its run
            too; the outer part begins after that one, and never takes the video's last step.
        skips_lone_first_step: a threshold at which only the first step is above gives nothing: what
            `if indices.any()` does to the indices of the steps.
        clip: ends are cut to the end of the video.
        max_per_video: the best so many of all classes are kept, after NMS; None: all.
        version: rises where the numbers that a named recipe cuts change.

    Raises:
        ValueError: something that is out of range or not implemented.
    """

    name: str
    classes: ClassRule
    lists: tuple[GateList, ...]
    nms: Nms
    normalisation: Literal["none", "min-max", "relu-min-max", "clamped-min-max"] = "none"
    scale: int = 20
    inflation: float = 0.2
    min_steps: int = 2
    fusion: Literal["concatenate", "streams"] = "concatenate"
    fuse: Nms | None = None
    normalises_gates: bool = False
    smoothing: int = 0
    one_step_more: bool = False
    skips_lone_first_step: bool = False
    clip: bool = True
    max_per_video: int | None = None
    version: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "lists", tuple(self.lists))
        make_floats(self, "inflation")
        if not self.name or not self.lists:
            raise ValueError(f"recipe {self.name!r} needs a name and at least one gate list")
        if self.normalisation not in NORMALISATIONS:
            raise ValueError(
                f"normalisation must be one of {NORMALISATIONS}, not {self.normalisation!r}"
            )
        if not (isfinite(self.inflation) and self.inflation >= 0):
            raise ValueError(f"inflation must be finite and >= 0, not {self.inflation}")
        for name in ("scale", "min_steps", "smoothing", "version", "max_per_video"):
            value, least = getattr(self, name), 0 if name == "smoothing" else 1
            if name == "max_per_video" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number >= {least}, not {value!r}")
        self._check_fusion()

    def _check_fusion(self) -> None:
        if self.fusion not in ("concatenate", "streams"):
            raise ValueError(f"fusion must be 'concatenate' or 'streams', not {self.fusion!r}")
        if (self.fusion == "streams") != (self.fuse is not None):
            raise ValueError("the fusion 'streams' needs `fuse`, and no other fusion has it")
        if (self.fusion == "streams") != (len(self.streams) > 1):
            raise ValueError(
                f"the fusion {self.fusion!r} does not go with lists of the streams "
                f"{list(self.streams)}: 'streams' needs two or more, 'concatenate' one"
            )

    @cached_property
    def streams(self) -> tuple[str, ...]:
        """Streams of the lists, in the order in which they first appear."""
        return tuple(dict.fromkeys(entry.stream for entry in self.lists))

    @cached_property
    def sequences(self) -> tuple[str, ...]:
        """Names of the gates and score sequences that the activations must have, sorted."""
        names = set()
        for entry in self.lists:
            names |= {entry.gate, entry.score}
            if entry.blend is not None:
                names.add(entry.blend.name)
        return tuple(sorted(names))

    @property
    def needs(self) -> tuple[str, ...]:
        """What of the activations is looked at: `sequences`, and `video_scores` where they are."""
        return (*self.sequences, *(() if self.classes.pooled_ratio else ("video_scores",)))

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values; equal recipes give equal documents, so it can be hashed.

        Fields that came later than the first recipes that were stored are left out where they have
        their default: a recipe that does not use them has the document that it always had.
        """
        document: dict[str, Any] = _to_json(self)
        return document


_FIRST_FIELDS: Final = MappingProxyType(
    {
        ClassRule: ("threshold", "strict", "fallback"),
        GateList: ("gate", "thresholds", "score", "zero_below", "strict", "class_bonus"),
        Nms: ("threshold", "plus", "kind"),
        ProposalRecipe: (
            "name",
            "classes",
            "lists",
            "nms",
            "normalisation",
            "scale",
            "inflation",
            "min_steps",
            "fusion",
        ),
    }
)
"""Fields of the first recipes that were stored: always written."""


def _to_json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_to_json(part) for part in value]
    if not is_dataclass(value):
        return value
    always = _FIRST_FIELDS.get(type(value), ())
    return {
        entry.name: _to_json(getattr(value, entry.name))
        for entry in fields(value)
        if entry.name in always or getattr(value, entry.name) != entry.default
    }

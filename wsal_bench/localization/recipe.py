"""What turns activations into proposals, as a value: class rule, gates, contrast, NMS.

A method publishes its numbers as a `ProposalRecipe`; `common` is one recipe for all methods.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np

from wsal_bench.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class ClassRule:
    """Which classes of a video get proposals.

    Args:
        threshold: a class whose video score is above it is taken.
        strict: true: above means >, false: >=.
        fallback: true: where no class is above, the best one is taken; false: none is.

    Raises:
        ValueError: the threshold is not finite.
    """

    threshold: float = 0.25
    strict: bool = True
    fallback: bool = True

    def __post_init__(self) -> None:
        _make_floats(self, "threshold")
        if not isfinite(self.threshold):
            raise ValueError(f"class threshold must be finite, not {self.threshold}")


@dataclass(frozen=True)
class GateList:
    """One family of proposals: the runs of a gate above each threshold, scored on a sequence.

    Args:
        gate: name of the gate, or of the score sequence, that is cut.
        thresholds: where it is cut, each a run list of its own.
        score: name of the score sequence that the proposals are scored on.
        zero_below: score on the sequence with everything below the threshold set to 0, so that the
            outer part counts only where it is above; the sequence must then be the gate itself.
        strict: false: a step belongs to a run where gate >= threshold; true: where it is >.
        class_bonus: how many times the video's class score is added to a proposal's score.

    Raises:
        ValueError: no or non-finite thresholds, a bonus that is not finite, or `zero_below` with a
            score that is not the gate.
    """

    gate: str
    thresholds: tuple[float, ...]
    score: str = "cas"
    zero_below: bool = False
    strict: bool = False
    class_bonus: float = 0.0

    def __post_init__(self) -> None:
        # lists and arrays are what a preset file and np.arange give; a value that is hashed is a
        # tuple of plain floats
        object.__setattr__(self, "thresholds", tuple(float(value) for value in self.thresholds))
        _make_floats(self, "class_bonus")
        if not self.thresholds or not all(map(isfinite, self.thresholds)):
            raise ValueError(
                f"gate list {self.gate!r} needs finite thresholds, not {list(self.thresholds)}"
            )
        if not isfinite(self.class_bonus):
            raise ValueError(f"class bonus must be finite, not {self.class_bonus}")
        if self.zero_below and self.score != self.gate:
            raise ValueError(
                f"zero_below needs the score to be the gate {self.gate!r}, not {self.score!r}"
            )


@dataclass(frozen=True)
class Nms:
    """How proposals of one class that overlap are thinned out.

    Args:
        threshold: a proposal goes where its tIoU with a better one is at least this.
        plus: seconds added to each length and each intersection. 1 is what pixel code left behind
            in most published pipelines: proposals less than a second apart then "overlap". 0 is
            the plain tIoU.
        kind: `hard` drops what overlaps; there is no other yet.

    Raises:
        ValueError: an unknown kind, a threshold outside (0, 1], or plus not 0 or 1.
    """

    threshold: float
    plus: float = 0.0
    kind: Literal["hard"] = "hard"

    def __post_init__(self) -> None:
        _make_floats(self, "threshold", "plus")
        if self.kind != "hard":
            raise ValueError(f"NMS kind must be 'hard', not {self.kind!r}")
        if not 0 < self.threshold <= 1:
            raise ValueError(f"NMS threshold must be in (0, 1], not {self.threshold}")
        if self.plus not in (0, 1):
            raise ValueError(f"NMS plus must be 0 or 1 seconds, not {self.plus}")


@dataclass(frozen=True)
class ProposalRecipe:
    """Everything between a video's activations and its proposals.

    Args:
        name: its name on the command line, in records and in run directories.
        classes: which classes get proposals.
        lists: the families of proposals of a class; all are concatenated before NMS.
        nms: how overlapping proposals of one class are thinned out.
        normalisation: of the score sequences, before anything else: `none`, or `min-max` per video
            and class to [0, 1] in steps of 1e-6, where a constant sequence becomes all ones (it
            says that the class is everywhere alike, so it gives one proposal as long as the video).
        scale: steps that a snippet is cut into by linear interpolation; 1: none.
        inflation: the outer part of the contrast on each side, as a share of the run's length.
        min_steps: runs of fewer steps are dropped.
        fusion: `concatenate` the lists, then NMS per class; there is no other yet.

    Raises:
        ValueError: something that is out of range or not implemented.
    """

    name: str
    classes: ClassRule
    lists: tuple[GateList, ...]
    nms: Nms
    normalisation: Literal["none", "min-max"] = "none"
    scale: int = 20
    inflation: float = 0.2
    min_steps: int = 2
    fusion: Literal["concatenate"] = field(default="concatenate")

    def __post_init__(self) -> None:
        object.__setattr__(self, "lists", tuple(self.lists))
        _make_floats(self, "inflation")
        if not self.name or not self.lists:
            raise ValueError(f"recipe {self.name!r} needs a name and at least one gate list")
        if self.normalisation not in ("none", "min-max"):
            raise ValueError(
                f"normalisation must be 'none' or 'min-max', not {self.normalisation!r}"
            )
        if self.fusion != "concatenate":
            raise ValueError(f"fusion must be 'concatenate', not {self.fusion!r}")
        for name in ("scale", "min_steps"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number >= 1, not {value!r}")
        if not (isfinite(self.inflation) and self.inflation >= 0):
            raise ValueError(f"inflation must be finite and >= 0, not {self.inflation}")

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values; equal recipes give equal documents, so it can be hashed."""
        document = asdict(self)
        document["lists"] = [
            {**entry, "thresholds": list(entry["thresholds"])} for entry in document["lists"]
        ]
        return document


def names() -> tuple[str, ...]:
    """Names of the recipes that `recipe` knows, sorted."""
    return tuple(sorted(_PRESETS))


def recipe(name: str) -> ProposalRecipe:
    """The recipe of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in _PRESETS:
        raise UsageError(f"no recipe {name!r}", hint=did_you_mean(name, _PRESETS))
    return _PRESETS[name]


def _make_floats(value: object, *fields: str) -> None:
    """Fields of a frozen value become plain floats: 1 and 1.0 are equal, but not in JSON."""
    for name in fields:
        object.__setattr__(value, name, float(getattr(value, name)))


ACM: Final = ProposalRecipe(
    name="acm",
    # ACM-Net and FTCL code, THUMOS14 settings; the thresholds are the doubles that np.arange
    # gives there (such as 0.30000000000000004): a step that equals one is on its line's side
    classes=ClassRule(threshold=0.25, strict=True, fallback=True),
    lists=(
        GateList("cas", tuple(np.arange(0.15, 0.25, 0.05)), score="cas", zero_below=True),
        GateList("attention", tuple(np.arange(0.15, 1.00, 0.05)), score="cas"),
    ),
    nms=Nms(threshold=0.55, plus=1.0),
    scale=20,
    inflation=0.2,
    min_steps=2,
)
"""Published numbers of ACM-Net (arXiv 2104.02967) and FTCL (CVPR 2022) on THUMOS14."""

COMMON: Final = ProposalRecipe(
    name="common",
    classes=ClassRule(threshold=0.25, strict=True, fallback=True),
    lists=(GateList("cas", tuple(step / 20 for step in range(2, 19)), score="cas"),),
    nms=Nms(threshold=0.55, plus=0.0),
    normalisation="min-max",
    scale=20,
    inflation=0.2,
    min_steps=2,
)
"""One recipe for all methods, ours: it reads only the CAS, and a positive affine change of the CAS
moves nothing, so logits and probabilities are cut alike. Thresholds 0.1, 0.15, ..., 0.9."""

_PRESETS: Final = MappingProxyType({preset.name: preset for preset in (ACM, COMMON)})

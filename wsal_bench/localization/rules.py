"""The parts of a recipe, as values: which classes, which gates, which contrast, which NMS."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final, Literal

NmsKind = Literal["hard", "soft", "partial-soft", "containment", "none"]
RunScore = Literal["contrast", "maximum", "mean"]
NMS_KINDS: Final = ("hard", "soft", "partial-soft", "containment", "none")
RUN_SCORES: Final = ("contrast", "maximum", "mean")


@dataclass(frozen=True)
class ClassRule:
    """Which classes of a video get proposals.

    Args:
        threshold: a class whose video score is above it is taken.
        strict: true: above means >, false: >=.
        fallback: true: where no class is above, the best one is taken; false: none is.
        binarised: the class bonus counts 1 for a class that is taken, whatever its score: BaS-Net
            overwrites the scores with zeros and ones before it adds them.
        skips_lone_first: a video whose only class is the one of index 0 gets nothing: what
            `if indices.any()` does to the indices of the classes.
        pooled_ratio: 0: a class's score is the video score that the method gives; r: it is the mean
            of the T // r largest snippets of the first list's score sequence, as the method gives
            that, and where T < r no class is taken: what W-TALC does with its logits.

    Raises:
        ValueError: the threshold is not finite, the ratio is below 0, or above it with `fallback`.
    """

    threshold: float = 0.25
    strict: bool = True
    fallback: bool = True
    binarised: bool = False
    skips_lone_first: bool = False
    pooled_ratio: int = 0

    def __post_init__(self) -> None:
        make_floats(self, "threshold")
        if not isfinite(self.threshold):
            raise ValueError(f"class threshold must be finite, not {self.threshold}")
        if self.pooled_ratio < 0 or (self.pooled_ratio and self.fallback):
            raise ValueError(
                f"pooled_ratio must be 0, or above it without fallback, not {self.pooled_ratio}"
            )


@dataclass(frozen=True)
class Blend:
    """A second sequence that is mixed into the one that proposals are scored on.

    Args:
        name: of a gate or a score sequence.
        kind: `sum`: own_weight * sequence + other_weight * second, step by step; `product`: their
            product, snippet by snippet, before anything is interpolated.
        own_weight: of the first sequence; a sum's alone.
        other_weight: of the second; a sum's alone.

    Raises:
        ValueError: an unknown kind, weights that are not finite, or weights of a product.
    """

    name: str
    kind: Literal["sum", "product"] = "sum"
    own_weight: float = 1.0
    other_weight: float = 1.0

    def __post_init__(self) -> None:
        make_floats(self, "own_weight", "other_weight")
        if self.kind not in ("sum", "product"):
            raise ValueError(f"a blend's kind must be 'sum' or 'product', not {self.kind!r}")
        weights = (self.own_weight, self.other_weight)
        if not all(map(isfinite, weights)):
            raise ValueError(f"a blend's weights must be finite, not {list(weights)}")
        if self.kind == "product" and weights != (1.0, 1.0):
            raise ValueError(f"a product has no weights, not {list(weights)}")


@dataclass(frozen=True)
class GateList:
    """One family of proposals: the runs of a gate above each threshold, scored on a sequence.

    Args:
        gate: name of the gate, or of the score sequence, that is cut.
        thresholds: where it is cut, each a run list of its own.
        score: name of the sequence that the proposals are scored on.
        zero_below: score with everything of the gate that is below the threshold set to 0, so that
            the outer part counts only where it is above; the gate must then be the score or what
            is blended into it as a sum, and nothing else is set to 0.
        strict: false: a step belongs to a run where gate >= threshold; true: where it is >.
        class_bonus: how many times the video's class score is added to a proposal's score.
        relative: a threshold x stands for max - (max - min) * x of the gate's snippets: 0.5 is the
            midpoint, a larger one cuts lower.
        positive: a step must also be above 0, which matters for the threshold 0 alone: published
            code sets to 0 what is below the threshold and takes what is then above 0.
        blend: what is mixed into the score; None: nothing.
        weight: factor of the score sequence, in its own precision, before anything else.
        run_score: `contrast`: mean of the run minus `outer_weight` times the mean of what
            surrounds it; `maximum` or `mean` of the run alone.
        outer_weight: see `run_score`.
        stream: lists of one stream are thinned out together, before the streams are fused; see
            `ProposalRecipe.fuse`.

    Raises:
        ValueError: no or non-finite thresholds, numbers that are not finite, or `zero_below` with a
            gate that is not in the score.
    """

    gate: str
    thresholds: tuple[float, ...]
    score: str = "cas"
    zero_below: bool = False
    strict: bool = False
    class_bonus: float = 0.0
    relative: bool = False
    positive: bool = False
    blend: Blend | None = None
    weight: float = 1.0
    run_score: RunScore = "contrast"
    outer_weight: float = 1.0
    stream: str = ""

    def __post_init__(self) -> None:
        # lists and arrays are what a preset file and np.arange give; a value that is hashed is a
        # tuple of plain floats
        object.__setattr__(self, "thresholds", tuple(float(value) for value in self.thresholds))
        make_floats(self, "class_bonus", "weight", "outer_weight")
        if not self.thresholds or not all(map(isfinite, self.thresholds)):
            raise ValueError(
                f"gate list {self.gate!r} needs finite thresholds, not {list(self.thresholds)}"
            )
        for name in ("class_bonus", "weight", "outer_weight"):
            if not isfinite(getattr(self, name)):
                word = name.replace("_", " ")
                raise ValueError(f"{word} must be finite, not {getattr(self, name)}")
        if self.run_score not in RUN_SCORES:
            raise ValueError(f"run_score must be one of {RUN_SCORES}, not {self.run_score!r}")
        if self.zero_below and self.gate not in self._summands():
            raise ValueError(
                f"zero_below needs the score to be the gate {self.gate!r}, not {self.score!r}"
            )

    def _summands(self) -> tuple[str, ...]:
        """Sequences that the gate's own zeros can be seen in."""
        if self.blend is None:
            return (self.score,)
        return (self.score, self.blend.name) if self.blend.kind == "sum" else ()


@dataclass(frozen=True)
class Nms:
    """How proposals of one class that overlap are thinned out.

    Args:
        threshold: a proposal goes where its overlap with a better one is at least this. `soft` and
            `none` do not look at it.
        plus: added to each length and each intersection. 1 is what pixel code left behind in most
            published pipelines: proposals less than a second apart then "overlap". 0 is the plain
            tIoU.
        kind: `hard` drops what overlaps. `soft` drops nothing: the best is taken and the scores of
            all others are multiplied by exp(-tIoU^2 / sigma), again and again. `partial-soft` is
            `hard`, but what it drops comes after what it keeps, its score multiplied by
            exp(-tIoU^2 / sigma) once. `containment` is `hard` with the intersection's share of the
            worse one's length in place of the tIoU. `none` keeps all, in the order they came in.
        sigma: see `kind`.
        unit: what `plus` counts, and lengths with it: `seconds` or `snippets`.
        drops_equal: an overlap equal to the threshold goes (true) or stays (false).

    Raises:
        ValueError: an unknown kind or unit, a threshold outside (0, 1], plus not 0 or 1, a sigma
            that is not positive.
    """

    threshold: float = 1.0
    plus: float = 0.0
    kind: NmsKind = "hard"
    sigma: float = 0.3
    unit: Literal["seconds", "snippets"] = "seconds"
    drops_equal: bool = True

    def __post_init__(self) -> None:
        make_floats(self, "threshold", "plus", "sigma")
        if self.kind not in NMS_KINDS:
            raise ValueError(f"NMS kind must be one of {NMS_KINDS}, not {self.kind!r}")
        if not 0 < self.threshold <= 1:
            raise ValueError(f"NMS threshold must be in (0, 1], not {self.threshold}")
        if self.plus not in (0, 1):
            raise ValueError(f"NMS plus must be 0 or 1, not {self.plus}")
        if not (isfinite(self.sigma) and self.sigma > 0):
            raise ValueError(f"NMS sigma must be finite and above 0, not {self.sigma}")
        if self.unit not in ("seconds", "snippets"):
            raise ValueError(f"NMS unit must be 'seconds' or 'snippets', not {self.unit!r}")


def make_floats(value: object, *fields: str) -> None:
    """Fields of a frozen value become plain floats: 1 and 1.0 are equal, but not in JSON."""
    for name in fields:
        object.__setattr__(value, name, float(getattr(value, name)))

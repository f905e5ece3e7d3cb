"""All about one evaluation: where its errors come from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wsal_bench.evaluation.diagnosis.case import (
    Areas,
    Case,
    Floats,
    areas,
    lay_out,
    precision_recall,
)
from wsal_bench.evaluation.diagnosis.classification import (
    VideoClassification,
    video_classification,
)
from wsal_bench.evaluation.diagnosis.errors import EqualTiou, ErrorProfile, error_profile
from wsal_bench.evaluation.diagnosis.recall import (
    ACTIVITYNET_TIOUS,
    THUMOS_TIOUS,
    AverageRecall,
    average_recall,
)
from wsal_bench.evaluation.diagnosis.sensitivity import Missed, Sensitivity, missed, sensitivity
from wsal_bench.evaluation.diagnosis.snippets import SnippetPrecision, snippet_precision
from wsal_bench.evaluation.diagnosis.traits import BucketSet, bucket_set, buckets
from wsal_bench.evaluation.scores import Scores
from wsal_bench.types import Activations, Detections, GroundTruth

SCHEMA = "wsal-bench/diagnosis/1"
RECALLS = tuple(step / 100 for step in range(101))


@dataclass(frozen=True, eq=False)
class Options:
    """How the diagnosis is made where there is a choice.

    Args:
        buckets: of length, coverage and instances; None: those of the protocol's data set.
        equal_tiou: see `errors.kinds_of_rows`.
        diving_rule: see `classification.video_classification`.
    """

    buckets: BucketSet | None = None
    equal_tiou: EqualTiou = "first"
    diving_rule: bool = False


@dataclass(frozen=True, eq=False)
class FromActivations:
    """What the activations say before anything is cut.

    Args:
        snippets: of each score sequence and gate.
        videos: of the video scores.
    """

    snippets: Sequence[SnippetPrecision]
    videos: VideoClassification


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Where the errors of an evaluation come from.

    Args:
        case: the evaluation.
        plain: average precision, also normalised.
        precision: [K, 101] mean interpolated precision at recall 0, 0.01, ..., 1.
        errors: kinds of errors and what they cost.
        missed: truths that nothing hit, and why.
        bucket_set: which buckets `sensitivity` has.
        sensitivity: by length, coverage (where durations are known) and instances.
        recall: AR@AN.
        activations: None where only detections were given.
    """

    case: Case
    plain: Areas
    precision: Floats
    errors: ErrorProfile
    missed: Missed
    bucket_set: BucketSet
    sensitivity: Sequence[Sensitivity]
    recall: AverageRecall
    activations: FromActivations | None = None

    def to_json(self) -> dict[str, Any]:
        """The content of a document of the schema `SCHEMA`; null where there is no number."""
        case, found = self.case, self.activations
        content = {
            "protocol": case.protocol.name,
            "average": case.protocol.headline,
            "tiou": case.tious.tolist(),
            "map": self.plain.mean_ap.tolist(),
            "normalised_map": self.plain.mean_normalised.tolist(),
            "averages": {
                name: case.mean(self.plain.mean_ap, name) for name in case.protocol.averages
            },
            "average_map": case.headline(self.plain.mean_ap),
            "average_normalised_map": case.headline(self.plain.mean_normalised),
            "curves": {"recall": list(RECALLS), "precision": self.precision.tolist()},
            "errors": {**self.errors.to_json(), "gain": self._gains()},
            "missed": self.missed.to_json(),
            "buckets": self.bucket_set,
            "sensitivity": [part.to_json() for part in self.sensitivity],
            "recall": self.recall.to_json(),
            "classes": self._classes(),
            "snippets": None if found is None else [part.to_json() for part in found.snippets],
            "classification": None if found is None else found.videos.to_json(),
        }
        plain: dict[str, Any] = _finite(content)
        return plain

    def _gains(self) -> dict[str, dict[str, float]]:
        """What removing a kind of error adds to the headline average."""
        errors, case = self.errors, self.case
        return {
            kind: {
                "map": case.headline(errors.map_without[kind] - errors.map),
                "normalised_map": case.headline(
                    errors.normalised_without[kind] - errors.normalised
                ),
            }
            for kind in errors.map_without
        }

    def _classes(self) -> list[dict[str, Any]]:
        case, found = self.case, self.case.found
        cas = self.activations.snippets[0].ap if self.activations else {}
        videos = self.activations.videos.ap if self.activations else {}
        rows = []
        for index, name in enumerate(case.class_names):
            of_class = case.truth_label == index
            rows.append(
                {
                    "name": name,
                    "truths": int(case.num_truths[index]),
                    "detections": int(case.first[index + 1] - case.first[index]),
                    "ap": self.plain.ap[:, index].tolist(),
                    "average_ap": case.headline(self.plain.ap[:, index]),
                    "average_normalised_ap": case.headline(self.plain.normalised[:, index]),
                    "missed": (1 - found[:, of_class].mean(axis=1)).tolist(),
                    "snippet_ap": cas.get(name),
                    "video_ap": videos.get(name),
                }
            )
        return rows


def diagnose(
    truth: GroundTruth,
    detections: Detections,
    scores: Scores,
    options: Options = Options(),
    *,
    activations: Mapping[str, Activations] | None = None,
    class_names: Sequence[str] = (),
) -> Diagnosis:
    """Where the errors of an evaluation come from; nothing of it changes a score.

    Args:
        truth: what the detections were evaluated against.
        detections: what was evaluated.
        scores: the evaluation, with its matches.
        options: where there is a choice.
        activations: by video name, what the detections were cut from; None: not known.
        class_names: what the columns of the activations are called.

    Raises:
        UsageError: a protocol whose hits do not tell which truth was hit.
        DataError: activations of other videos than the truth's.
        ValueError: scores without matches, or of other detections or another truth.
    """
    case = lay_out(truth, detections, scores)
    chosen = options.buckets or bucket_set(scores.protocol.name)
    wide = scores.protocol.dataset.startswith("activitynet")
    found = None
    if activations is not None:
        found = FromActivations(
            snippets=snippet_precision(case.truth, activations, class_names),
            videos=video_classification(
                case.truth, activations, class_names, diving_rule=options.diving_rule
            ),
        )
    return Diagnosis(
        case=case,
        plain=areas(case, case.state),
        precision=precision_recall(case, np.array(RECALLS)),
        errors=error_profile(case, options.equal_tiou),
        missed=missed(case),
        bucket_set=chosen,
        sensitivity=[sensitivity(case, part) for part in buckets(case, chosen)],
        recall=average_recall(case.truth, detections, ACTIVITYNET_TIOUS if wide else THUMOS_TIOUS),
        activations=found,
    )


def _finite(value: Any) -> Any:
    """The same value with None for NaN and infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

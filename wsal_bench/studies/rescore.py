"""The same detections under many protocols: what the rules alone do to a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.evaluation import Protocol, Scores, evaluate
from wsal_bench.evaluation import protocols as known
from wsal_bench.types import Detections, GroundTruth

THUMOS_TEST = "video_test_"  # how the videos of THUMOS14's test set are called


@dataclass(frozen=True, eq=False)
class Rescored:
    """Some detections under one protocol.

    Args:
        protocol: the rules.
        scores: None where the protocol cannot be computed from what is there.
        problem: why it cannot; empty where it can.
        num_videos: videos of the truth whose segments count; 0 where there are no scores.
    """

    protocol: Protocol
    scores: Scores | None
    problem: str = ""
    num_videos: int = 0


@dataclass(frozen=True, eq=False)
class Rescoring:
    """One set of detections under many protocols.

    Args:
        name: of the detections.
        num_detections: how many there are.
        rows: one per protocol.
    """

    name: str
    num_detections: int
    rows: tuple[Rescored, ...]


def rescore(
    name: str,
    detections: Detections,
    truths: Sequence[GroundTruth],
    protocols: Iterable[Protocol],
) -> Rescoring:
    """Scores detections under each protocol, with the first of the truths that it fits.

    A protocol that none of the truths fits is a row that says why.

    Args:
        name: of the detections, for tables.
        detections: what to score.
        truths: at least one; as annotated, with all their videos.
        protocols: the rules.

    Raises:
        DataError: no true segment, or a detected class that the truth does not name.
    """
    rows = tuple(score_first_fit(detections, truths, protocol) for protocol in protocols)
    return Rescoring(name, len(detections), rows)


def protocols_of(dataset: str, names: Sequence[str]) -> tuple[Protocol, ...]:
    """The protocols of a data set: `all`, or some by name, with or without the data set's.

    Earlier versions (`official@v1`) are not among `all`.

    Raises:
        UsageError: an unknown name, or one of another data set.
    """
    fitting = known.of_dataset(dataset) or (known.common(dataset),)
    if tuple(names) == ("all",):
        return fitting
    by_name = {protocol.name: protocol for protocol in fitting}
    by_name |= {
        old: known.protocol(old) for protocol in fitting for old in known.earlier(protocol.name)
    }
    by_name |= {name.partition("/")[2]: protocol for name, protocol in by_name.items()}
    for name in names:
        if name not in by_name:
            raise UsageError(
                f"no protocol {name!r} for {dataset}",
                hint=did_you_mean(name, ("all", *(protocol.name for protocol in fitting))),
            )
    return tuple(dict.fromkeys(by_name[name] for name in names))


def dataset_of(truth: GroundTruth) -> str | None:
    """The data set that a truth's video names tell; None where they tell nothing."""
    if truth.video_ids and all(name.startswith(THUMOS_TEST) for name in truth.video_ids):
        return "thumos14"
    return None


def score_first_fit(
    detections: Detections, truths: Sequence[GroundTruth], protocol: Protocol
) -> Rescored:
    """Detections under one protocol, with the first truth that it fits.

    Raises:
        DataError: no true segment, or a detected class that the truth does not name.
    """
    problems = []
    for truth in truths:
        try:
            scores = evaluate(truth, detections, protocol)
        except UsageError as error:  # the rules do not fit this truth
            problems.append(error.message)
        else:
            return Rescored(protocol, scores, num_videos=_counted_videos(truth, protocol))
    return Rescored(protocol, None, "; ".join(dict.fromkeys(problems)))


def _counted_videos(truth: GroundTruth, protocol: Protocol) -> int:
    out = protocol.excluded_videos if protocol.excluded_rule != "truth-kept" else ()
    return len(set(truth.video_ids) - set(out))

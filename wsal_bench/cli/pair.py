"""A truth and a file of detections, read and made to fit a protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.evaluation import Protocol, common, protocols
from wsal_bench.evaluation.formats import (
    detections_from_json,
    detections_from_npz,
    truth_from_json,
    truth_from_npz,
    with_ambiguous,
)
from wsal_bench.studies.rescore import dataset_of
from wsal_bench.types import Detections, GroundTruth

# how the videos of a data set are called: rules made for one say nothing about another
_PREFIXES = {"thumos14": "video_"}


@dataclass(frozen=True, eq=False)
class Pair:
    """What was read.

    Args:
        truth: the true segments.
        detections: what was detected.
        rules: what they are scored under.
        notes: sentences about what is unusual in the files and no mistake.
    """

    truth: GroundTruth
    detections: Detections
    rules: Protocol
    notes: tuple[str, ...]


def read_pair(
    truth: Path,
    detections: Path,
    subset: str | None,
    ambiguous: Path | None,
    rules: Protocol | None,
) -> Pair:
    """Reads truth and detections, JSON or (by their ending) npz.

    Args:
        truth: annotation file.
        detections: file of detections.
        subset: of the truth; None: the only one with segments.
        ambiguous: None, or a file of stretches that nobody is sure of.
        rules: what the detections will be scored under; None: the common rules of the data set that
            the videos' names tell, else of one called like the file.

    Raises:
        UsageError: a subset that is not there, or rules of another data set.
        DataError: a file that cannot be read or is wrong inside.
    """
    notes: list[str] = []
    if truth.suffix == ".npz":
        if subset is not None:
            raise UsageError("--subset with a truth in npz", hint="such a file has one subset")
        segments = truth_from_npz(truth)
    else:
        segments = truth_from_json(truth, subset, notes=notes)
    rules = rules or common(dataset_of(segments) or truth.stem)
    _check_data_set(segments, rules, truth)
    if ambiguous is not None:
        segments = with_ambiguous(segments, ambiguous, notes)
    if detections.suffix == ".npz":
        found = detections_from_npz(detections)
        _check_labels(found, segments, rules, detections)
    else:
        known = None if rules.unknown_labels == "ignore" else segments.class_names
        found = detections_from_json(detections, known, notes=notes)
    return Pair(segments, found, rules, tuple(notes))


def excluding(rules: Protocol, names: str, pair: Pair) -> Protocol:
    """The same rules without some videos, under a name that says so.

    Args:
        rules: where the other rules come from.
        names: names with commas between, or a file with one a line.
        pair: what will be scored.

    Raises:
        UsageError: neither truth nor detections have such a video.
        DataError: the file cannot be read.
    """
    try:
        listed = Path(names).read_text().split() if Path(names).is_file() else names.split(",")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"list of videos cannot be read ({error})", path=names) from error
    wanted = tuple(dict.fromkeys(name.strip() for name in listed if name.strip()))
    known = {*pair.truth.video_ids, *pair.detections.video_ids}
    for name in wanted:
        if name not in known:
            raise UsageError(f"no video {name!r} to exclude", hint=did_you_mean(name, known))
    if rules.excluded_videos and rules.excluded_rule != "dropped":
        raise UsageError(
            f"--exclude-videos with {rules.name}, which has its own rule for some videos",
            hint="choose another protocol",
        )
    every = tuple(dict.fromkeys((*rules.excluded_videos, *wanted)))
    return replace(rules, name=f"{rules.name}-without-{len(wanted)}", excluded_videos=every)


def _check_data_set(truth: GroundTruth, rules: Protocol, path: Path) -> None:
    """Refuses rules with the name of one data set for the videos of another, where names tell."""
    named = {name.partition("/")[0] for name in protocols.names()}
    for dataset, prefix in _PREFIXES.items():
        found = any(name.startswith(prefix) for name in truth.video_ids)
        if rules.dataset == dataset and not found:
            raise UsageError(
                f"protocol {rules.name!r} does not fit: no video is called {prefix}...",
                hint=f"this truth has {', '.join(truth.video_ids[:3])}",
                path=path,
            )
        if found and rules.dataset in named - {dataset}:
            raise UsageError(
                f"protocol {rules.name!r} does not fit: these are videos of {dataset}",
                hint=f"choose one of {dataset}'s: wsal-bench list protocols",
                path=path,
            )


def _check_labels(found: Detections, truth: GroundTruth, rules: Protocol, path: Path) -> None:
    unknown = [name for name in found.class_names if name not in truth.class_names]
    if unknown and rules.unknown_labels == "error":
        raise DataError(
            f"unknown class {unknown[0]!r}",
            hint=did_you_mean(unknown[0], truth.class_names),
            path=path,
        )

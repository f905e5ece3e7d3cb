"""The layout of ACM-Net, FTCL and ASM-Loc.

ROOT/gt.json                               truth in the form of ActivityNet
ROOT/split_train.txt, split_test.txt       names of the videos, one per line
ROOT/train/<video>.npy, test/<video>.npy   features [T, D], float16 or float32
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsal_bench.data.checks import check_names, check_no_overlap, classes_shown, with_classes
from wsal_bench.data.features import FeatureFile, open_features
from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation.formats import truth_from_json
from wsal_bench.files import check_file
from wsal_bench.plugins.contract import SPLITS, Split
from wsal_bench.types import GroundTruth


@dataclass(frozen=True, eq=False)
class AcmSplit:
    """What lies on disk of one split.

    Args:
        video_ids: in the order of the list.
        features: in the same order.
        truth: of exactly these videos, in the order of the truth file.
    """

    video_ids: tuple[str, ...]
    features: tuple[FeatureFile, ...]
    truth: GroundTruth


def truth_path(root: Path) -> Path:
    """The truth file."""
    return root / "gt.json"


def list_path(root: Path, split: Split) -> Path:
    """The list of a split's videos."""
    return root / f"split_{split}.txt"


def read(
    root: Path, subsets: Mapping[str, str], classes: Sequence[str] | None = None
) -> dict[Split, AcmSplit]:
    """Opens both splits; headers of feature files are read, their numbers are not.

    Args:
        root: the folder.
        subsets: `train` and `test`, each as the truth file calls it.
        classes: names and order of the classes; None: those that listed videos show, sorted.

    Raises:
        DataError: a file is missing, unreadable or wrong inside; lists overlap; a listed video has
            no truth, or a train video no label.
    """
    names = {split: read_list(list_path(root, split)) for split in SPLITS}
    check_no_overlap(names["train"], names["test"], list_path(root, "test"))
    path = truth_path(root)
    truths = {split: _truth(path, subsets[split], names[split]) for split in SPLITS}
    _check_labelled(truths["train"], path)
    shown = (
        classes
        if classes is not None
        else sorted(set().union(*map(classes_shown, truths.values())))
    )
    return {
        split: AcmSplit(
            video_ids=names[split],
            features=_features(root / split, names[split]),
            truth=with_classes(truths[split], shown, path),
        )
        for split in SPLITS
    }


def read_list(path: Path) -> tuple[str, ...]:
    """The names in a split list; blank lines do not count.

    Raises:
        DataError: the list cannot be read, is empty or names a video twice.
    """
    check_file(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise DataError(
            "list of videos is missing", hint="it names one video per line", path=path
        ) from error
    except OSError as error:
        raise DataError(
            f"list of videos cannot be read ({error.strerror or error})", path=path
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"list of videos is not UTF-8 ({error})", path=path) from error
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise DataError("list of videos is empty", path=path)
    for name, count in zip(*np.unique(names, return_counts=True), strict=True):
        if count > 1:
            raise DataError(f"video {str(name)!r} is listed {count} times", path=path)
    check_names(names, path)
    return names


def _truth(path: Path, subset: str, names: Sequence[str]) -> GroundTruth:
    """The truth of the listed videos; others of the subset are left out."""
    try:
        truth = truth_from_json(path, subset, strict=False)
    except UsageError as error:
        raise DataError(error.message, hint=error.hint, path=path) from error
    known = set(truth.video_ids)
    missing = [name for name in names if name not in known]
    if missing:
        more = f", nor are {len(missing) - 1} others" if len(missing) > 1 else ""
        raise DataError(
            f"listed video {missing[0]!r} is not in the subset {subset!r} of the truth{more}",
            hint="each listed video needs an entry there",
            path=path,
        )
    return truth.only(names)


def _check_labelled(truth: GroundTruth, path: Path) -> None:
    labelled = set(truth.video.tolist())
    for number, name in enumerate(truth.video_ids):
        if number not in labelled:
            raise DataError(
                f"train video {name!r} has no label: no true segment names a class",
                hint="take it off the train list",
                path=path,
            )


def _features(folder: Path, names: Sequence[str]) -> tuple[FeatureFile, ...]:
    return tuple(open_features(folder / f"{name}.npy") for name in names)

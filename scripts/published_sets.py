"""The sets of detections on THUMOS14 that others published, and what may be compared with what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsal_bench.evaluation import Scores, evaluate
from wsal_bench.evaluation.formats import detections_from_json, truth_from_json
from wsal_bench.evaluation.protocols import common
from wsal_bench.localization.nms import thin
from wsal_bench.localization.rules import Nms

WEAK, FULL = "video labels", "full supervision"
_MIT = "MIT"
_PSRGN = "Riiick2011/PSRGN 155b365 (2024; its detector follows ActionFormer)"
_SCNN = "zhengshou/scnn ee05621 (S-CNN, CVPR 2016), NMS 0.4 as its script has for tIoU 0.5"


@dataclass(frozen=True)
class PublishedSet:
    """Detections in all 20 classes on the test videos.

    Args:
        name: in tables.
        file: below the folder of detections.
        supervision: what its method was trained on; only equal ones stand in one table.
        source: repository, commit, and what of it this is.
        licence: of the repository.
    """

    name: str
    file: str
    supervision: str
    source: str
    licence: str = _MIT


SMIL, STPN = "S-MIL", "STPN"
SETS = (
    PublishedSet(
        "CRNet",
        "crnet/result.json",
        WEAK,
        "abcd112358efgh/Consistent-and-Relational-Feature-Learning 574d7d2 (2022): the file of its "
        "last test; the best one, on the test set, that its text file claims is 1.3 points higher",
    ),
    PublishedSet(
        SMIL,
        "pmil_smil/detection_result_base_test.json",
        WEAK,
        "S-MIL's base proposals, which RenHuan1999/CVPR2023_P-MIL 855e683 ships: what P-MIL begins "
        "with, not what it finds",
    ),
    PublishedSet(
        STPN,
        "stpn/results.json",
        WEAK,
        "bellos1203/STPN ecadfca, a re-implementation",
        "Apache-2.0",
    ),
    PublishedSet("PSRGN baseline", "psrgn_baseline/detections.json", FULL, _PSRGN),
    PublishedSet("PSRGN CSPG", "psrgn_cspg/detections.json", FULL, _PSRGN),
    PublishedSet("PSRGN SPGN", "psrgn_spgn/detections.json", FULL, _PSRGN),
    PublishedSet("PSRGN full", "psrgn_full/detections.json", FULL, _PSRGN),
    PublishedSet(
        "PSRGN unnamed", "psrgn_other/detections.json", FULL, f"{_PSRGN}; variant not named there"
    ),
    PublishedSet("S-CNN C3D", "scnn_c3d/detections.json", FULL, _SCNN),
    PublishedSet("S-CNN Res3D", "scnn_res3d/detections.json", FULL, _SCNN),
)
ZERO_SHOT_SOURCE = (
    "FreeZAD, Chaolei98/FreeZAD 469b25c, MIT: no training, CoCa ViT-L-14. Each split has its own "
    "classes, which nothing was trained on, and its own videos of both subsets"
)


@dataclass(frozen=True)
class ZeroShot:
    """One way to split the classes.

    Args:
        seen: percent of the classes that are not scored, as the files' names have it.
        values: [splits, tIoU 0.3 to 0.7] mAP.
    """

    seen: int
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def zero_shot(folder: Path) -> list[ZeroShot]:
    """MAP of each random split, from files that hold its classes alone."""
    found = []
    for seen in (50, 75):
        rows = []
        for number in range(10):
            truth = truth_from_json(folder / "freezad" / f"gt{seen}_{number}.json", "test")
            detections = detections_from_json(folder / "freezad" / f"split{seen}_{number}.json")
            rows.append(evaluate(truth, detections, common("zero-shot")).mean_ap[2:7])
        found.append(ZeroShot(seen, np.array(rows)))
    return found


@dataclass(frozen=True)
class PseudoLabels:
    """Proposals on training videos, as pseudo labels.

    Args:
        proposals: how many there are.
        average: their mAP 0.1:0.7 as they are.
        kept: how many have a score above 0.4 and are left by NMS at 0.5.
        precision: share of these that hit a true segment of their class at tIoU 0.5.
        recall: share of the true segments that are hit.
    """

    proposals: int
    average: float
    kept: int
    precision: float
    recall: float


def pseudo_labels(folder: Path, truth_file: Path) -> PseudoLabels:
    """How good S-MIL's proposals on the training videos are; the two numbers are conventional."""
    truth = truth_from_json(truth_file, "validation")
    found = detections_from_json(folder / "pmil_smil" / "detection_result_base_train.json")
    kept = thin(found.taken(found.score > 0.4), Nms(0.5))
    scores = evaluate(truth, kept, common("train"))
    hits = _hits(scores)
    return PseudoLabels(
        proposals=len(found),
        average=evaluate(truth, found, common("train")).averages["0.1:0.7"],
        kept=len(kept),
        precision=hits / len(kept),
        recall=hits / len(truth),
    )


def _hits(scores: Scores) -> int:
    if scores.matches is None:
        raise ValueError("scores without matches")
    position = [round(tiou, 6) for tiou in scores.tiou].index(0.5)
    return int((scores.matches.hits >> position & 1).sum())

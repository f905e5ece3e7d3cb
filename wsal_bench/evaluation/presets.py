"""The protocols that have a name: each published repository's rules, and `<dataset>/common`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wsal_bench.evaluation._protocol import Protocol
from wsal_bench.evaluation.grids import (
    DRIFTING_ALL,
    DRIFTING_NINE,
    DRIFTING_SEVEN,
    FIVE_DRIFTING,
    FIVE_HIGH,
    FIVE_LOW,
    NINE,
    SEVEN,
    TEN,
    TEN_DRIFTING,
    Grid,
)

# annotated against the convention of the others; many files of the test set leave them out
MISANNOTATED = ("video_test_0000270", "video_test_0001496")

_ACTIVITYNET = "activitynet/ActivityNet 82304fa"
_WIDE = ("activitynet12", "activitynet13")


def common(dataset: str, *, truth_variant: str = "default") -> Protocol:
    """The protocol that every data set has, `<dataset>/common`.

    The ActivityNet algorithm (82304fa) with stable sorts, at the thresholds of the THUMOS14
    papers, with the three averages that they print; on ActivityNet at 0.5 to 0.95.

    Args:
        dataset: name of the data set.
        truth_variant: which annotation of it.
    """
    rules = _first_common(dataset, truth_variant)
    if dataset == "thumos14":
        return replace(
            rules,
            version=2,  # 1 counted detections in the two videos as false positives
            description=f"{rules.description}, on the 210 test videos",
            excluded_videos=MISANNOTATED,
        )
    if dataset == "hapt":
        # 1 averaged from 0.1: a segment as long as its bag hits there, so video labels suffice
        return replace(
            rules,
            version=2,
            description=f"{rules.description}, averaged from 0.3 up",
            headline=FIVE_HIGH.headline_name,
        )
    return rules


def _first_common(dataset: str, truth_variant: str = "default") -> Protocol:
    """Version 1 of a data set's common rules, which most have still."""
    wide = dataset in _WIDE
    return _preset(
        f"{dataset}/common",
        f"ActivityNet average precision at tIoU {'0.5 to 0.95' if wide else '0.1 to 0.7'}, "
        "stable ties",
        TEN if wide else SEVEN,
        (_ACTIVITYNET,),
        truth_variant=truth_variant,
    )


def _preset(
    name: str, description: str, grid: Grid, sources: tuple[str, ...], **rules: object
) -> Protocol:
    values: dict[str, object] = {
        "name": name,
        "version": 1,
        "description": description,
        "tious": grid.tious,
        "averages": grid.averages,
        "headline": grid.headline_name,
        "sources": sources,
        **rules,
    }
    return Protocol(**values)  # type: ignore[arg-type]


# the integer ranges of snippets that the W-TALC family counts with: 0 / 0 is no hit there
_RANGES = {
    "time_unit": "snippets",
    "ambiguous": "drop-any",
    "ties": "earlier-first",
    "truth_ties": "earlier-first",
    "empty_union": "miss",
    "videos_outside": "dropped-without-truth",
    "unknown_labels": "ignore",
    "missing_class": "all-zero",
}
_ON_GRID = {"time_unit": "snippets", "ambiguous": "drop-any"}
_ALL_212 = {"needs_videos": MISANNOTATED}
_TESTED_210 = {**_ALL_212, "excluded_videos": MISANNOTATED, "excluded_rule": "truth-kept"}


_FIRST_OFFICIAL = _preset(
    "thumos14/official",
    "the MATLAB kit: truth-driven, above the threshold, 11 points, ambiguous misses left out",
    FIVE_LOW,
    ("THUMOS14 TH14evalkit (demianzhang/weakly-action-localization 6fc97fc)",),
    ap_rule="voc-11-points",
    matching="truth-driven",
    ambiguous="drop-false-positives",
    ties="true-positives-first",
    truth_ties="earlier-first",
    empty_union="miss",
    unknown_labels="ignore",
)

_THUMOS14 = (
    common("thumos14"),
    _preset(
        "thumos14/ftcl-2022",
        "ActivityNet average precision in seconds, truth of 212 videos, detections of 210",
        DRIFTING_NINE,
        ("MengyuanChen21/CVPR2022-FTCL cf607d6", "boheumd/ASM-Loc 4acb3c8"),
        **_TESTED_210,
    ),
    _preset(
        "thumos14/acmnet-2021",
        "as FTCL's, averaged over tIoU 0.1 to 0.9",
        DRIFTING_ALL,
        ("ispc-lab/ACM-Net 4d38dc6",),
        **_TESTED_210,
    ),
    _preset(
        "thumos14/basnet-2020",
        "ActivityNet average precision in seconds, tIoU linspace(0.1, 0.9, 9), 210 test videos",
        DRIFTING_ALL,
        ("Pilhyeon/BaSNet-pytorch c8c6bbd",),
        excluded_videos=MISANNOTATED,  # its files have neither truth nor features of them
    ),
    _preset(
        "thumos14/um-2021",
        "ActivityNet average precision in seconds, tIoU linspace(0.1, 0.7, 7), 210 test videos",
        SEVEN,
        ("Pilhyeon/WTAL-Uncertainty-Modeling f8e52f5", "zhang-can/CoLA d21f1b5"),
        excluded_videos=MISANNOTATED,
    ),
    _preset(
        "thumos14/wtalc-2018",
        "integer ranges of snippets, first match, non-interpolated, ambiguous stretches left out",
        FIVE_LOW,
        ("sujoyp/wtalc-pytorch 81ea982",),
        ap_rule="non-interpolated",
        matching="first-match",
        **_RANGES,
        **_ALL_212,
    ),
    _preset(
        "thumos14/fac-2021",
        "integer ranges of snippets, best free tIoU, ambiguous stretches left out",
        SEVEN,
        ("LeonHLJ/FAC-Net c010886", "LeonHLJ/RSKP 38a8ad7"),
        **_RANGES,
        **_ALL_212,
    ),
    _preset(
        "thumos14/co2-2021",
        "ActivityNet average precision in whole snippets, ambiguous stretches left out",
        NINE,
        ("harlanhong/MM2021-CO2-Net e879687", "MengyuanChen21/ECCV2022-DELU a60e46d"),
        **_ON_GRID,
        **_ALL_212,
    ),
    _preset(
        "thumos14/pmil-2023",
        "as CO2-Net's, at tIoU arange(0.1, 0.75, 0.1)",
        DRIFTING_SEVEN,
        ("RenHuan1999/CVPR2023_P-MIL 855e683",),
        **_ON_GRID,
        **_ALL_212,
    ),
    replace(
        _FIRST_OFFICIAL,
        version=2,  # 1 took 210 videos, and the two lengths less the overlap for the union
        description="the MATLAB kit: 212 videos, truth-driven, above the threshold, 11 points, "
        "ambiguous misses left out",
        union="span",
        needs_videos=MISANNOTATED,
    ),
    _preset(
        "thumos14/actionformer-2022",
        "ActivityNet average precision, near-duplicates of the truth left out",
        FIVE_DRIFTING,
        ("happyharrycn/actionformer_release 61ea7eb",),
        truth_cleaning="drop-short-and-duplicates",
        unknown_labels="ignore",
        **_ALL_212,
    ),
    _preset(
        "thumos14/opentad",
        "ActivityNet average precision, empty and near-duplicate truths left out, 0 / 0 a miss",
        FIVE_HIGH,
        ("sming256/OpenTAD 3dd7b03",),
        truth_cleaning="drop-empty-and-duplicates",
        empty_union="miss",
        unknown_labels="ignore",
    ),
    _preset(
        "thumos14/mmaction2",
        "ActivityNet average precision, tIoU in single precision, earlier of equal scores first",
        SEVEN,
        ("open-mmlab/mmaction2 4d6c934",),
        comparison="float32",
        ties="earlier-first",
    ),
    _preset(
        "thumos14/detad",
        "ActivityNet average precision, empty truths left out",
        FIVE_DRIFTING,
        ("HumamAlwassel/DETAD 24f7d95",),
        truth_cleaning="drop-empty",
    ),
)


def _activitynet(dataset: str) -> tuple[Protocol, ...]:
    return (
        common(dataset),
        _preset(
            f"{dataset}/official",
            "ActivityNet average precision at tIoU linspace(0.5, 0.95, 10), stable ties",
            TEN_DRIFTING,
            (_ACTIVITYNET, "ispc-lab/ACM-Net 4d38dc6"),
        ),
        _preset(
            f"{dataset}/co2-2021",
            "ActivityNet average precision in whole snippets",
            TEN,
            ("harlanhong/MM2021-CO2-Net e879687", "MengyuanChen21/ECCV2022-DELU a60e46d"),
            time_unit="snippets",
        ),
    )


PRESETS: Mapping[str, Protocol] = {
    preset.name: preset
    for preset in (
        common("simulated"),
        common("hapt"),
        *_THUMOS14,
        *_activitynet("activitynet12"),
        *_activitynet("activitynet13"),
    )
}

# what a name said before its rules changed, under that name with its version
EARLIER: Mapping[str, Protocol] = {
    f"{first.name}@v{first.version}": replace(first, name=f"{first.name}@v{first.version}")
    for first in (_FIRST_OFFICIAL, _first_common("thumos14"), _first_common("hapt"))
}

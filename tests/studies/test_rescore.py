"""The same detections under several protocols, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wsal_bench.errors import UsageError
from wsal_bench.evaluation import Scores
from wsal_bench.evaluation.presets import MISANNOTATED
from wsal_bench.report import rescored as page
from wsal_bench.studies.rescore import Rescoring, dataset_of, protocols_of, rescore
from wsal_bench.types import Detections, GroundTruth

NAME = "video_test_0001235"


def truth(*more: str) -> GroundTruth:
    """The true segment of docs/protocols.md, in one video of several."""
    return GroundTruth(
        video=np.array([0]),
        start=np.array([50.0]),
        end=np.array([55.5]),
        label=np.array([0]),
        video_ids=(NAME, *more),
        class_names=("PoleVault",),
    )


FOUND = Detections(
    video=np.array([0]),
    start=np.array([44.8]),
    end=np.array([56.32]),
    label=np.array([0]),
    score=np.array([1.018]),
    video_ids=(NAME,),
    class_names=("PoleVault",),
)
UNSURE = np.array([[1.0, 20.0, 30.0]])


def rescored(truths: list[GroundTruth], *names: str) -> Rescoring:
    return rescore("ours", FOUND, truths, protocols_of("thumos14", names or ["all"]))


def test_the_segment_of_the_page_is_a_hit_on_the_grid_alone() -> None:
    full = replace(truth(*MISANNOTATED), ambiguous=UNSURE)
    found = rescored([full], "thumos14/common", "thumos14/co2-2021")
    assert [page.at(row, 0.4) for row in found.rows] == [1.0, 1.0]
    assert [page.at(row, 0.5) for row in found.rows] == [0.0, 1.0]
    assert "by 100.0 points: 0.0 under thumos14/common, 100.0 under thumos14/co2-2021" in (
        page.to_markdown([found])
    )


def test_a_protocol_that_cannot_be_computed_is_a_row_that_says_why() -> None:
    found = rescored([truth()])
    assert [row.protocol for row in found.rows] == [*protocols_of("thumos14", ["all"])]
    problems = {row.protocol.name: row.problem for row in found.rows}
    assert problems["thumos14/common"] == ""
    assert "lacks video_test_0000270" in problems["thumos14/ftcl-2022"]
    assert "lacks video_test_0000270" in problems["thumos14/official"]
    text = page.to_markdown([found])
    assert "thumos14/official: no number, " in text
    lines = page.to_csv([found]).splitlines()
    assert len(lines) == 1 + len(found.rows)
    (row,) = (r for r in page.content([found])["detections"][0]["rows"] if "ftcl" in r["protocol"])
    assert (row["map"], row["average"]) == (None, "0.1:0.7") and row["problem"]


def test_the_first_truth_that_fits_is_taken() -> None:
    found = rescored([truth(), truth(*MISANNOTATED)], "um-2021", "ftcl-2022", "common")
    assert [row.num_videos for row in found.rows] == [1, 3, 1]


def test_names_go_with_and_without_the_data_set_and_once() -> None:
    short = protocols_of("thumos14", ["um-2021", "thumos14/um-2021"])
    assert [protocol.name for protocol in short] == ["thumos14/um-2021"]
    with pytest.raises(UsageError, match="no protocol 'um-2012' for thumos14"):
        protocols_of("thumos14", ["um-2012"])
    assert [protocol.name for protocol in protocols_of("mine", ["all"])] == ["mine/common"]


def test_the_data_set_is_told_by_its_videos() -> None:
    assert dataset_of(truth()) == "thumos14"
    assert dataset_of(truth("v_abc")) is None


def halved(scores: Scores | None) -> Scores | None:
    return scores and replace(scores, ap=scores.ap / 2)


def test_the_usual_columns_fit_a_terminal() -> None:
    found = rescored([replace(truth(*MISANNOTATED), ambiguous=UNSURE)])
    text = page.to_terminal([found], width=80, styled=False)
    assert max(map(len, text.splitlines())) <= 80
    assert "@0.5" in text and "@0.6" not in text
    assert "@0.6" in page.to_terminal([found], page.keys([found]), width=80, styled=False)


def test_the_picture_has_a_line_for_each_protocol() -> None:
    full = replace(truth(*MISANNOTATED), ambiguous=UNSURE)
    found = rescored([full])
    other = replace(
        found, rows=tuple(replace(row, scores=halved(row.scores)) for row in found.rows)
    )
    figure = page.figure([found, other])
    assert len(figure.axes) == 4  # two sets, two measures
    half = figure.axes[0]
    labels = [text.get_text() for text in half.get_yticklabels()]
    assert labels == [row.protocol.name for row in found.rows]
    numbers = [text.get_text() for text in half.texts]
    assert numbers == [f"{100 * (page.at(row, 0.5) or 0):.1f}" for row in found.rows]
    first, _, second, _ = figure.axes
    assert first.get_xlim() == second.get_xlim()  # panels below each other can be compared
    low, high = half.get_ylim()
    assert low > high  # the first protocol is on top

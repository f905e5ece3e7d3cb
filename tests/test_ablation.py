"""Ablations of made-up runs, with numbers that can be checked by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from wsal_bench.ablation import Ablation, Plan, build, is_on
from wsal_bench.evaluation import common, evaluate
from wsal_bench.report import study as page
from wsal_bench.report.runs import ScoredRun
from wsal_bench.types import Detections, GroundTruth

VIDEOS = tuple(f"v{index}" for index in range(4))
TRUTH = GroundTruth(
    video=np.arange(4),
    start=np.zeros(4),
    end=np.ones(4),
    label=np.zeros(4, int),
    video_ids=VIDEOS,
    class_names=("wave",),
)
PLAN = Plan(
    method="toy",
    names=("toy:full", "toy:fsd", "toy:pairs"),
    components={"FSD": "fsd_weight", "LCS": "lcs_weight"},
    baseline="toy:pairs",
)


def run(num_found: int, seed: int = 0, fsd: float = 0.0, lcs: float = 0.0) -> ScoredRun:
    """Finds the true segments of the first videos exactly: AP = num_found / 4 at every tIoU."""
    found = Detections(
        video=np.arange(num_found),
        start=np.zeros(num_found),
        end=np.ones(num_found),
        label=np.zeros(num_found, int),
        score=np.linspace(1, 0.5, num_found),
        video_ids=VIDEOS,
        class_names=("wave",),
    )
    return ScoredRun(
        dataset="toy",
        method="toy",
        seed=seed,
        scores=evaluate(TRUTH, found, common("toy")),
        options={"fsd_weight": fsd, "lcs_weight": lcs},
    )


def study(full: list[ScoredRun], pairs: list[ScoredRun], plan: Plan = PLAN) -> Ablation:
    return build(
        {"toy:full": full, "toy:pairs": pairs}, plan, {0: TRUTH}, dataset="toy", recipe="own"
    )


def test_check_marks_say_which_parts_are_on() -> None:
    table = study([run(4, fsd=1.0, lcs=0.5)], [run(2)])
    full, _, pairs = table.rows
    assert full.parts == {"FSD": True, "LCS": True}
    assert pairs.parts == {"FSD": False, "LCS": False}
    line = next(line for line in page.to_markdown(table).splitlines() if "toy:full" in line)
    assert line.count("✓") == 2


@pytest.mark.parametrize("value", [0, 0.0, False, None, ""])
def test_a_part_is_off_where_its_option_is_nothing(value: object) -> None:
    assert not is_on(value)


@pytest.mark.parametrize("value", [1, 1e-3, True, "hard"])
def test_a_part_is_on_where_its_option_is_something(value: object) -> None:
    assert is_on(value)


def test_the_difference_to_the_baseline_is_that_of_the_runs_and_lies_in_its_interval() -> None:
    full = study([run(4), run(3, seed=1)], [run(2), run(2, seed=1)]).rows[0]
    assert full.difference is not None
    # AP 1 and 3/4 against 1/2 and 1/2
    assert full.difference.difference == pytest.approx(0.375)
    assert full.difference.low <= 0.375 <= full.difference.high
    assert full.difference.num_resamples == 1000


def test_only_runs_that_both_rows_have_are_compared() -> None:
    full = study([run(4), run(1, seed=7)], [run(2)]).rows[0]
    assert full.difference is not None
    assert full.difference.difference == pytest.approx(0.5)


def test_without_a_common_seed_there_is_no_difference() -> None:
    assert study([run(4, seed=7)], [run(2)]).rows[0].difference is None


def test_the_same_runs_give_the_same_interval() -> None:
    first, second = (study([run(4)], [run(2)]).rows[0].difference for _ in range(2))
    assert first == second


def test_the_spread_of_one_seed_is_a_dash() -> None:
    text = page.to_markdown(study([run(4)], [run(2)]))
    assert "100.0 ± -" in text


def test_a_row_that_was_not_run_stays_with_dashes() -> None:
    table = study([run(4)], [run(2)])
    assert table.rows[1].headline is None
    line = next(line for line in page.to_markdown(table).splitlines() if "toy:fsd" in line)
    assert line.count(" - ") == 9  # seven tIoUs, the mean and the difference


def test_failed_cells_are_counted() -> None:
    failed = ScoredRun(dataset="toy", method="toy", seed=1, error="nan")
    table = study([run(4), failed], [run(2)])
    assert table.rows[0].num_failed == 1
    assert "Failed cells: toy:full (1)." in page.to_markdown(table)


def test_axes_become_columns() -> None:
    plan = Plan("toy", ("toy:full",), {}, "", axes=("fsd_weight",))
    table = study([run(4, fsd=0.5)], [run(2)], plan)
    assert table.rows[0].options == {"fsd_weight": 0.5}
    assert "fsd_weight" in page.to_markdown(table)
    assert page.to_csv(table).splitlines()[1].startswith("toy:full,0.5,1.0")


def test_the_document_keeps_what_is_unknown_as_null() -> None:
    document = page.to_json(study([run(4)], [run(2)]))
    assert document["schema"] == "wsal-bench/ablation/1"
    full, fsd, pairs = document["data"]["ablations"][0]["rows"]
    assert full["difference"]["value"] == pytest.approx(0.5)
    assert (full["mean"], full["std"]) == (pytest.approx(1.0), None)
    assert (fsd["mean"], fsd["difference"]) == (None, None)
    assert pairs["difference"] is None
    json.dumps(document, allow_nan=False)


def test_latex_draws_check_marks() -> None:
    assert page.to_latex(study([run(4, fsd=1.0)], [run(2)])).count(r"\checkmark") == 1

"""Ablations of made-up runs, with numbers that can be checked by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from wsal_bench.evaluation import common, evaluate
from wsal_bench.report import study as page
from wsal_bench.statistics import Interval
from wsal_bench.studies.ablation import Ablation, Plan, build, is_on
from wsal_bench.studies.runs import ScoredRun
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
    return build({"toy:full": full, "toy:pairs": pairs}, plan, dataset="toy", recipe="own")


def interval_of(table: Ablation, row: int = 0) -> Interval | None:
    statistics = table.rows[row].statistics
    assert statistics is not None
    return statistics.comparison.interval if statistics.comparison else None


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
    found = interval_of(study([run(4), run(3, seed=1)], [run(2), run(2, seed=1)]))
    assert found is not None
    # AP 1 and 3/4 against 1/2 and 1/2
    assert found.difference == pytest.approx(0.375)
    assert found.low <= 0.375 <= found.high
    assert found.seed_error == 0.0  # the videos explain what the two seeds differ by


def test_only_runs_that_both_rows_have_are_compared() -> None:
    found = interval_of(study([run(4), run(1, seed=7)], [run(2)]))
    assert found is not None
    assert found.difference == pytest.approx(0.5)


def test_without_a_common_seed_there_is_no_difference() -> None:
    assert interval_of(study([run(4, seed=7)], [run(2)])) is None


def test_the_same_runs_give_the_same_interval() -> None:
    first, second = (interval_of(study([run(4)], [run(2)])) for _ in range(2))
    assert first == second


def test_the_spread_of_one_seed_is_a_dash() -> None:
    text = page.to_markdown(study([run(4)], [run(2)]))
    assert "100.0 ± -" in text


def test_a_row_that_was_not_run_stays_with_dashes() -> None:
    table = study([run(4)], [run(2)])
    assert table.rows[1].headline is None
    line = next(line for line in page.to_markdown(table).splitlines() if "toy:fsd" in line)
    assert line.count(" - ") == 5  # the mean, the difference and three tIoUs


def test_a_difference_inside_the_noise_is_marked_and_the_mark_explained() -> None:
    alike, apart = study([run(3)], [run(3)]), study([run(4)] * 1, [run(0)])
    line = next(line for line in page.to_markdown(alike).splitlines() if "toy:full" in line)
    assert "+0.0 [+0.0, +0.0] ≈" in line
    assert "≈: inside the noise" in page.to_markdown(alike)
    line = next(line for line in page.to_markdown(apart).splitlines() if "toy:full" in line)
    assert "≈" not in line
    assert r"$\approx$" in page.to_latex(alike)


def test_scores_of_older_runs_say_why_they_have_no_intervals() -> None:
    old = run(4)
    assert old.scores is not None
    old = replace(old, scores=replace(old.scores, support=None))
    text = page.to_markdown(study([old], [run(2)]))
    assert "No standard errors: these scores came without matches" in text


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


def test_an_ablation_of_quick_runs_is_stamped_in_every_form() -> None:
    rows = {
        name: [replace(run(count), quick=True)]
        for name, count in zip(PLAN.names, (3, 2, 1), strict=True)
    }
    study = build(rows, PLAN, dataset="toy", recipe="own", num_resamples=20)
    assert page.to_markdown(study).startswith("# Ablation of toy on toy (QUICK)\n")
    assert "(QUICK)" in page.to_latex(study)
    assert "True" in page.to_csv(study).splitlines()[1]
    assert page.content(study)["quick"] is True

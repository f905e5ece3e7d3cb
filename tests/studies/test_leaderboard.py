"""Leaderboards of made-up runs, with numbers that can be checked by hand."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from wsal_bench.config import Found
from wsal_bench.evaluation import Counts, Scores, common, evaluate
from wsal_bench.report import board as page
from wsal_bench.report.board_columns import wide_keys
from wsal_bench.report.pictures import pictures
from wsal_bench.report.plot import forest
from wsal_bench.running.coverage import Coverage
from wsal_bench.studies.leaderboard import Leaderboard, build
from wsal_bench.studies.runs import ScoredRun
from wsal_bench.types import Detections, GroundTruth

SIX = tuple(range(6))


def scores(mean_ap: float) -> Scores:
    """One class with the same AP at each of the seven tIoUs."""
    return Scores(common("toy"), ("wave",), np.full((7, 1), mean_ap), Counts(1, 1, 0, 0, 0))


def run(method: str, mean_ap: float = 0.5, **fields: Any) -> ScoredRun:
    return ScoredRun(dataset="toy", method=method, scores=scores(mean_ap), **fields)


def runs(method: str, values: list[float], **fields: Any) -> list[ScoredRun]:
    """One run per training seed."""
    return [run(method, value, seed=seed, **fields) for seed, value in enumerate(values)]


def board(*parts: list[ScoredRun]) -> Leaderboard:
    return build([one for part in parts for one in part], dataset="toy", recipe="own")


def names(table: Leaderboard) -> list[str]:
    return [row.name for row in table.rows]


def test_six_seeds_of_every_row_make_a_ranking_with_the_best_first() -> None:
    table = board(runs("aaa", [0.1] * 6), runs("mil", [0.2] * 6), runs("zzz", [0.3] * 6))
    assert table.is_ranking
    assert names(table) == ["zzz", "mil", "aaa"]


def test_five_seeds_are_too_few_so_rows_are_alphabetical_and_nothing_is_bold() -> None:
    table = board(runs("zzz", [0.3] * 5), runs("aaa", [0.1] * 5))
    assert table.obstacles == ("a ranking needs 6 training seeds in every row",)
    assert names(table) == ["aaa", "zzz"]
    text = page.to_markdown(table)
    assert "# toy (not a ranking)" in text
    assert "**" not in text


def test_data_that_are_drawn_need_three_data_seeds_times_two_training_seeds() -> None:
    def grid(data_seeds: int, seeds: int) -> Leaderboard:
        return board(
            [
                run("mil", data_seed=data, seed=seed, seeded=True)
                for data in range(data_seeds)
                for seed in range(seeds)
            ]
        )

    assert grid(3, 2).is_ranking
    assert not grid(2, 2).is_ranking
    assert not grid(3, 1).is_ranking
    assert not grid(2, 6).is_ranking


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"track": "points"}, "the rows have different tracks"),
        ({"selection": "test"}, "the rows have different selections"),
        ({"data": {"noise": 2.0}}, "the rows have different data"),
        ({"settings": {"precision": "bf16"}}, "the rows have different precisions"),
        ({"settings": {"device": "cuda"}}, "the rows have different devices"),
        ({"settings": {"threads": 4}}, "the rows have different numbers of threads"),
        (
            {"own_segments": True},
            "some rows' segments are the method's own, the others' are a recipe's",
        ),
    ],
)
def test_rows_that_knew_or_cost_different_things_are_not_ranked(
    fields: dict[str, Any], reason: str
) -> None:
    table = board(runs("mil", [0.1] * 6), runs("zzz", [0.2] * 6, **fields))
    assert table.obstacles == (reason,)
    assert names(table) == ["mil", "zzz"]


def test_rows_over_different_seeds_are_not_ranked() -> None:
    other = [replace(one, seed=one.seed + 1) for one in runs("zzz", [0.2] * 6)]
    assert board(runs("mil", [0.1] * 6), other).obstacles == ("the rows have different seeds",)


def test_floors_stand_apart_and_do_not_hinder_a_ranking() -> None:
    table = board(
        runs("mil", [0.1] * 6),
        [run("ceiling:oracle", 0.9, track="truth"), run("floor:random", 0.05)],
    )
    assert table.is_ranking
    assert names(table) == ["mil"]
    assert [row.name for row in table.references] == ["floor:random", "ceiling:oracle"]
    assert [row.kind for row in table.references] == ["floor", "ceiling"]


def test_mean_and_spread_are_nested_in_the_data_seeds() -> None:
    # data seed 0: mean of 0.1 and 0.3 = 0.2; data seed 1: 0.4. Mean 0.3, std sqrt(0.02).
    table = board(
        [
            run("mil", 0.1, data_seed=0, seed=0),
            run("mil", 0.3, data_seed=0, seed=1),
            run("mil", 0.4, data_seed=1, seed=0),
        ]
    )
    (row,) = table.rows
    assert row.headline.mean == pytest.approx(0.3)
    assert row.headline.std == pytest.approx(0.02**0.5)
    assert (row.headline.num_data_seeds, row.headline.num_seeds) == (2, 1)
    assert "30.0 ± 14.1" in page.to_markdown(table)


def test_other_options_of_one_variant_make_a_row_of_their_own_named_by_them() -> None:
    table = board(
        [
            run("ftcl", variant="full", options={"epochs": 5, "lr": 0.1}),
            run("ftcl", variant="full", options={"epochs": 9, "lr": 0.1}),
        ]
    )
    assert names(table) == ["ftcl:full [epochs=5]", "ftcl:full [epochs=9]"]


def test_the_same_run_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="two runs of mil"):
        board([run("mil"), run("mil")])


def test_scores_of_two_versions_of_a_protocol_are_refused() -> None:
    newer = replace(scores(0.5), protocol=replace(common("toy"), version=2))
    with pytest.raises(ValueError, match=r"version 1 .* version 2"):
        board([run("mil"), ScoredRun(dataset="toy", method="ftcl", scores=newer)])


def test_failed_cells_are_listed_below_the_table() -> None:
    failed = ScoredRun(dataset="toy", method="ftcl", seed=3, error="loss fsd is nan at step 7")
    table = board([run("mil"), failed])
    assert names(table) == ["mil"]
    text = page.to_markdown(table)
    assert text.index("loss fsd is nan at step 7") > text.index("| mil")


def test_a_ranking_sets_the_best_of_each_column_in_bold() -> None:
    table = board(runs("mil", [0.1] * 6), runs("ftcl", [0.2] * 6))
    text = page.to_markdown(table, wide_keys(table))
    ftcl, mil = [line for line in text.splitlines() if line.startswith(("| ftcl", "| mil"))]
    assert ftcl.count("**20.0 ± 0.0**") == 10  # three averages and seven tIoUs
    assert "**" not in mil


def test_costs_are_means_and_the_papers_number_is_quoted() -> None:
    one, two = (
        run(
            "mil",
            seed=seed,
            parameters=1234,
            seconds={"train": 10.0 + 2 * seed, "infer": 0.5},
            paper={"0.1:0.7": 28.5},
        )
        for seed in (0, 1)
    )
    table = board([one, two])
    text = page.to_markdown(table, wide_keys(table))
    line = next(line for line in text.splitlines() if "| mil" in line)
    assert [cell.strip() for cell in line.split("|")[-6:-1]] == [
        "1 x 2",
        "1,234",
        "11",
        "0.50",
        "28.5",
    ]


def test_the_document_holds_fractions_and_null_where_there_is_one_run() -> None:
    document = page.to_json(board([run("mil", 0.25)]))
    assert document["schema"] == "wsal-bench/leaderboard/1"
    (row,) = document["data"]["leaderboards"][0]["rows"]
    assert row["map"] == [0.25] * 7
    assert row["map_std"] == [None] * 7
    assert row["averages"]["0.1:0.7"] == pytest.approx(0.25)
    assert row["averages_std"]["0.1:0.7"] is None
    json.dumps(document, allow_nan=False)


def test_csv_has_a_line_for_every_row_and_an_empty_field_for_what_is_unknown() -> None:
    text = page.to_csv(board([run("mil", 0.25), run("floor:random", 0.125)]))
    mil, floor = csv.DictReader(io.StringIO(text))
    assert (mil["name"], mil["map 0.5"], mil["map 0.5 std"]) == ("mil", "0.25", "")
    assert (floor["name"], floor["kind"], floor["paper"]) == ("floor:random", "floor", "")


def test_latex_escapes_what_latex_would_read() -> None:
    text = page.to_latex(board([run("a_b", options={"x": 1}), run("a_b", options={"x": 2})]))
    assert r"a\_b [x=1]" in text
    assert text.count(r"\\") == 3
    assert "±" not in text


def test_no_run_at_all_is_a_page_that_says_so() -> None:
    table = board([])
    assert table.obstacles == ("no run of a method with its preset",)
    assert "Not a ranking: no run of a method" in page.to_markdown(table)
    assert page.content(table)["rows"] == []
    assert page.to_csv(table) == "" == page.to_latex(table)


def test_equal_boards_are_drawn_with_equal_bytes() -> None:
    table = board(runs("mil", [0.1, 0.2]), [run("floor:random", 0.05)])
    picture = pictures(lambda: forest(table))
    assert picture == pictures(lambda: forest(table))
    assert "floor:random" in picture["svg"].decode()


def test_rows_with_options_set_by_hand_stand_apart_and_are_not_ranked() -> None:
    tuned = runs("mil", [0.9] * 6, options={"epochs": 5}, by_hand=("mil.epochs=5",))
    table = board(runs("mil", [0.1] * 6, options={"epochs": 9}), tuned)
    assert table.is_ranking
    assert names(table) == ["mil [epochs=9]"]
    assert [row.name for row in table.by_hand] == ["mil [epochs=5]"]
    text = page.to_markdown(table)
    assert "**10.0 ± 0.0**" in text
    assert "**90.0" not in text
    assert "Set by hand: mil.epochs=5." in text


def test_a_method_whose_cells_all_failed_hinders_a_ranking() -> None:
    failed = ScoredRun(dataset="toy", method="ftcl", variant="full", error="loss is nan")
    table = board(runs("mil", [0.1] * 6), [failed])
    assert table.obstacles == ("every cell failed of ftcl:full",)


def test_a_failed_cell_with_options_set_by_hand_hinders_no_ranking() -> None:
    failed = ScoredRun(dataset="toy", method="ftcl", error="nan", by_hand=("ftcl.lr=9",))
    assert board(runs("mil", [0.1] * 6), [failed]).is_ranking


def test_every_form_of_a_table_says_what_its_floors_know() -> None:
    floors = [run("floor:constant", 0.8), run("ceiling:oracle", 0.9), run("floor:random", 0.1)]
    table = board(runs("mil", [0.1, 0.2]), floors)
    known = "know the true labels of each video and nothing of when"
    for text in (
        page.to_markdown(table),
        " ".join(page.to_terminal(table, width=100).split()),
        page.to_latex(table),
    ):
        assert f"constant {known}" in text.replace("`", ""), text
        assert "oracle knows what happens and when" in text.replace("`", "")
    rows = page.to_json(table)["data"]["leaderboards"][0]
    assert [row["knows"] for row in rows["rows"]] == [None]
    assert rows["references"][1]["knows"] == "the true labels of each video and nothing of when"
    assert "Reference rows" not in page.to_markdown(board(runs("mil", [0.1, 0.2])))


def test_data_set_by_hand_put_floors_too_into_the_block_that_is_not_ranked() -> None:
    noisy: dict[str, Any] = {"data": {"noise": 0.1}, "by_hand": ("simulated.noise=0.1",)}
    plain: dict[str, Any] = {"data": {"noise": 0.0}}
    table = board(
        runs("mil", [0.1] * 6, **plain),
        [run("floor:random", 0.05, **plain)],
        runs("mil", [0.9] * 6, **noisy),
        [run("floor:random", 0.5, **noisy)],
    )
    assert table.is_ranking
    assert names(table) == ["mil [data.noise=0.0]"]
    assert [row.name for row in table.references] == ["floor:random [data.noise=0.0]"]
    assert [row.name for row in table.by_hand] == [
        "mil [data.noise=0.1]",
        "floor:random [data.noise=0.1]",
    ]
    text = page.to_markdown(table)
    block = text[text.index("set by hand, not ranked") : text.index("Floors and ceilings (")]
    assert "floor:random [data.noise=0.1]" in block
    assert "Set by hand: simulated.noise=0.1." in text


def test_runs_set_by_hand_to_the_usual_value_are_never_merged_with_untouched_ones() -> None:
    touched = replace(run("mil", 0.3, seed=1), by_hand=("simulated.noise=0.0",))
    table = board([run("mil", 0.1, seed=0), touched])
    assert [row.headline.mean for row in table.rows] == pytest.approx([0.1])
    assert [row.headline.mean for row in table.by_hand] == pytest.approx([0.3])


def test_one_run_has_no_word_about_a_spread() -> None:
    assert "standard deviation" not in page.to_markdown(board([run("mil")]))
    assert "over training seeds" in page.to_markdown(board(runs("mil", [0.1, 0.2])))


def scored(num_found: int, seed: int) -> ScoredRun:
    """Finds the true segments of the first of 12 videos exactly: AP = num_found / 12."""
    videos = tuple(f"v{index}" for index in range(12))
    truth = GroundTruth(np.arange(12), np.zeros(12), np.ones(12), np.zeros(12, int), videos, ("a",))
    rows = (np.arange(num_found), np.zeros(num_found), np.ones(num_found))
    order = np.linspace(1, 0.5, num_found)
    found = Detections(*rows, np.zeros(num_found, int), order, videos, ("a",))
    return ScoredRun(
        dataset="toy",
        method=f"m{num_found:02}" if num_found != 8 else "close",
        seed=seed,
        scores=evaluate(truth, found, common("toy")),
    )


def test_a_ranking_compares_each_row_with_the_best_and_marks_what_is_inside_the_noise() -> None:
    table = board(*([scored(n, seed) for seed in SIX] for n in (9, 8, 2)))
    assert table.best == "m09"
    best, close, far = table.rows
    assert best.statistics is not None and best.statistics.comparison is None
    # the share of 12 videos that is found: root(3/4 * 1/4 / 12)
    assert best.statistics.error is not None
    assert best.statistics.error.standard_error == pytest.approx(0.125, rel=0.1)
    assert close.statistics is not None and close.statistics.comparison is not None
    assert close.statistics.comparison.inside_noise
    assert close.statistics.comparison.interval.difference == pytest.approx(-1 / 12)
    assert close.statistics.comparison.seeds is not None  # all six seeds lose: p = 2/64
    assert close.statistics.comparison.seeds.p_value == pytest.approx(2 / 64)
    assert far.statistics is not None and far.statistics.comparison is not None
    assert not far.statistics.comparison.inside_noise
    text = page.to_markdown(table)
    assert " SE |" in page.to_markdown(table, ["se"]) and " SE |" not in text
    assert "≈" in text
    row = page.to_json(table)["data"]["leaderboards"][0]["rows"][1]
    assert row["difference"]["inside_noise"] is True
    assert row["difference"]["sign_flip"]["num_pairs"] == 6
    assert row["standard_error"]["num_groups"] == 12
    lines = list(csv.DictReader(io.StringIO(page.to_csv(table))))
    assert [line["inside_noise"] for line in lines] == ["", "True", "False"]


def test_a_mark_and_its_interval_never_contradict_each_other() -> None:
    table = board(*([scored(n, seed) for seed in SIX] for n in (9, 8, 7, 6, 5, 2)))
    text = page.to_markdown(table)
    marks = {
        line.split("|")[1].strip(): line.split("|")[3].strip()[-1]
        for line in text.splitlines()
        if line.startswith(("| m0", "| close"))
    }
    assert marks == {"m09": "-", "close": "≈", "m07": "≈", "m06": "≈", "m05": "≈", "m02": "]"}
    compared = {
        row.name: row.statistics.comparison
        for row in table.rows
        if row.statistics is not None and row.statistics.comparison is not None
    }
    for name, one in compared.items():
        assert (marks[name] == "≈") == (one.interval.low <= 0 <= one.interval.high)
        assert (marks[name] == "≈") == (one.adjusted_p > 0.05)
    assert compared["m05"].interval.p_value < 0.05 < compared["m05"].adjusted_p  # many rows
    assert "intervals hold at once (max-t over all pairs of rows" in text
    assert "finds with 80 % power, all comparisons counted" in text


def test_each_row_has_an_interval_of_its_own_floors_too() -> None:
    table = board([scored(9, 0)], [scored(8, 0)], [replace(scored(3, 0), method="floor:random")])
    text = page.to_markdown(table)
    row = table.references[0]
    assert row.statistics is not None and row.statistics.interval is not None
    # a quarter of 12 videos: 0.25 -+ t(11) * root(1/4 * 3/4 / 11)
    assert row.statistics.interval.low == pytest.approx(0.25 - 2.201 * 0.13056, abs=1e-4)
    assert row.statistics.interval.high == pytest.approx(0.25 + 2.201 * 0.13056, abs=1e-4)
    assert text.count("[95 %]") == 2  # of the methods and of the floors
    found = page.to_json(table)["data"]["leaderboards"][0]["references"][0]["interval"]
    assert found["low"] == row.statistics.interval.low


def test_a_digest_in_a_rows_name_is_short_and_still_tells_rows_apart() -> None:
    one, other = "0123456789abcdef" * 4, "01234567ffffffff" * 4
    table = board(
        [run("mil", data={"fingerprint": one})], [run("mil", data={"fingerprint": other})]
    )
    assert names(table) == ["mil [data.fingerprint=012345678]", "mil [data.fingerprint=01234567f]"]
    assert table.rows[0].differs == {"data.fingerprint": one}


def test_a_paper_column_stands_only_where_there_is_a_figure() -> None:
    assert "paper" not in page.to_markdown(board([run("mil")]))
    assert "|  28.5 |" in page.to_markdown(board([run("mil", paper={"0.1:0.7": 28.5})]))


def test_without_a_ranking_nothing_is_compared_with_the_best() -> None:
    table = board([scored(9, 0)], [scored(8, 0)])
    assert not table.best
    assert "Δ" not in page.to_markdown(table)


def test_rows_whose_options_were_found_otherwise_are_named_with_what_would_rank_them() -> None:
    table = board(
        runs("mil", [0.1] * 6, budget="chosen by video labels (12 trials)", source="folder:/d"),
        runs("mine", [0.2] * 5, budget="published defaults", source="folder:/d"),
    )
    assert not table.is_ranking
    text = page.to_markdown(table)
    assert text.startswith("# toy (not a ranking: budgets differ)\n")
    assert "mil: chosen by video labels (12 trials); mine: published defaults." in text
    assert (
        "`wsal-bench run --methods mil,mine --datasets folder:/d --seeds 0,1,2,3,4,5 "
        "--preset published`, then `wsal-bench leaderboard --datasets toy --preset published`"
    ) in text
    assert "not a ranking: budgets differ" in page.to_latex(table)
    assert "not a ranking: budgets differ" in forest(table).get_suptitle()


def test_the_command_names_enough_seeds_of_data_that_are_drawn() -> None:
    rows = [run("mil", budget=budget, seeded=True, data_seed=4, seed=7) for budget in ("a", "b")]
    table = board([rows[0]], [replace(rows[1], method="mine")])
    said = " ".join(table.obstacles)
    assert "--data-seeds 0,1,4 --seeds 0,7 --preset published" in said


def test_options_that_nobody_knows_the_origin_of_are_not_ranked_even_alone() -> None:
    table = board(*(runs(name, [0.1] * 6, budget=Found().budget) for name in ("a", "b")))
    assert "# toy (not a ranking: budgets unknown)" in page.to_markdown(table)


def test_quick_runs_are_stamped_in_every_form() -> None:
    table = board(runs("mil", [0.1] * 6, quick=True))
    assert not table.is_ranking and table.quick
    assert page.to_markdown(table).startswith("# toy (QUICK; not a ranking)\n")
    assert "QUICK" in page.to_latex(table)
    assert "QUICK" in forest(table).get_suptitle()
    assert page.content(table)["quick"] is True
    (line,) = csv.DictReader(io.StringIO(page.to_csv(table)))
    assert line["quick"] == "True"


MISSING = Coverage(videos=198, segments=3000, left_out=12)


def test_a_table_of_some_of_the_protocols_videos_is_no_result_of_the_protocol() -> None:
    table = board(runs("mil", [0.1] * 6, coverage=MISSING))
    assert not table.is_ranking
    text = page.to_markdown(table)
    assert "198 of 210 videos, not a result of the whole protocol" in text.splitlines()[0]
    assert "12 of the protocol's 210 videos have no features: 12 are left out" in text
    assert page.content(table)["scored"]["left_out"] == 12


def test_missing_videos_may_be_allowed_and_every_row_says_so() -> None:
    every = runs("mil", [0.1] * 6, coverage=MISSING)
    table = build(every, dataset="toy", recipe="own", allow_missing=True)
    assert table.is_ranking
    assert names(table) == ["mil (198 of 210 videos)"]
    assert "not a result of the whole protocol" in page.to_markdown(table).splitlines()[0]


def test_videos_that_count_as_missed_are_among_the_scored_ones() -> None:
    coverage = Coverage(videos=210, segments=3000, missed=12)
    assert coverage.share == "198 of 210 videos"
    assert "count as missed" in coverage.sentence


def test_a_whole_data_set_is_said_to_be_whole() -> None:
    text = page.to_markdown(board(runs("mil", [0.1] * 6, coverage=Coverage(80, 210))))
    assert text.startswith("# toy\n")
    assert "Scored: 80 test videos with 210 true segments; each of the protocol's videos" in text

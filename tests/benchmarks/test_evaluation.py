"""Ratios measured in one run; absolute times are reported elsewhere."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from tests.benchmarks.figures import tell
from wsal_bench.evaluation import common, evaluate
from wsal_bench.evaluation.formats import (
    detections_from_json,
    detections_to_json,
    detections_to_npz,
    truth_to_npz,
)
from wsal_bench.types import Detections, GroundTruth

RULES = common("x")
NUM_CLASSES = 20


def made_up_case(
    num_videos: int, num_truths: int, num_detections: int
) -> tuple[GroundTruth, Detections]:
    """One or two classes a video, as in THUMOS14; half of the detections lie near a truth."""
    rng = np.random.default_rng(0)
    video = np.sort(rng.integers(0, num_videos, num_truths))
    label = (video + (rng.random(num_truths) < 0.1)) % NUM_CLASSES
    start = rng.uniform(0, 200, num_truths)
    length = rng.uniform(1, 10, num_truths)
    near = rng.integers(0, num_truths, num_detections)
    shift = rng.normal(0, 1, (2, num_detections)) * length[near] / 4
    found = np.where(
        rng.random(num_detections) < 0.5,
        start[near] + shift[0],
        rng.uniform(0, 200, num_detections),
    )
    order = np.argsort(video[near], kind="stable")
    names = tuple(f"v{i}" for i in range(num_videos))
    classes = tuple(f"class{i}" for i in range(NUM_CLASSES))
    truth = GroundTruth(video, start, start + length, label, names, classes)
    end = found + np.maximum(length[near] + shift[1], 0.1)
    columns = (video[near][order], found[order], end[order], label[near][order])
    return truth, Detections(*columns, rng.random(num_detections), names, classes)


def cpu_seconds(work: Callable[[], object], times: int) -> float:
    """The quickest of several runs."""
    seconds = []
    for _ in range(times):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return min(seconds)


@pytest.fixture(scope="module")
def thumos14_size() -> tuple[GroundTruth, Detections]:
    case = made_up_case(212, 3358, 212 * 200)
    evaluate(*case, RULES)  # compiles
    return case


def row_by_row(truth: GroundTruth, found: Detections, label: int) -> list[float]:
    """AP of a class in the way of the published code: a data frame, row after row."""
    true = pd.DataFrame({"video": _names(truth), "start": truth.start, "end": truth.end})
    true = true[truth.label == label].reset_index(drop=True)
    rows = pd.DataFrame(
        {"video": _names(found), "start": found.start, "end": found.end, "score": found.score}
    )
    rows = rows[found.label == label].reset_index(drop=True)
    best_first = rows["score"].to_numpy().argsort(kind="stable")[::-1]
    rows = rows.loc[best_first].reset_index(drop=True)
    by_video = true.groupby("video")
    taken = np.zeros((len(RULES.tious), len(true)), dtype=bool)
    hit = np.zeros((len(RULES.tious), len(rows)))
    for index, row in rows.iterrows():
        try:
            here = by_video.get_group(row["video"]).reset_index()
        except KeyError:
            continue
        one = row[["start", "end"]].to_numpy()
        many = here[["start", "end"]].to_numpy()
        overlap = np.minimum(one[1], many[:, 1]) - np.maximum(one[0], many[:, 0])
        overlap = overlap.clip(0)
        tiou = overlap / ((many[:, 1] - many[:, 0]) + (one[1] - one[0]) - overlap)
        for bit, threshold in enumerate(RULES.tious):
            for place in tiou.argsort(kind="stable")[::-1]:
                if tiou[place] < threshold:
                    break
                if not taken[bit, here.loc[place]["index"]]:
                    taken[bit, here.loc[place]["index"]] = True
                    hit[bit, index] = 1
                    break
    return [float(_envelope_area(line, len(true))) for line in hit]


def _names(table: GroundTruth | Detections) -> list[str]:
    return [table.video_ids[index] for index in table.video]


def _envelope_area(hit: Any, num_truths: int) -> Any:
    found = np.cumsum(hit)
    precision = np.maximum.accumulate((found / np.arange(1, len(hit) + 1))[::-1])[::-1]
    return (precision * hit).sum() / num_truths


def test_a_data_frame_row_by_row_gives_the_same() -> None:
    truth, found = made_up_case(30, 500, 4000)
    assert_same(truth, found, row_by_row(truth, found, 3))


def assert_same(truth: GroundTruth, found: Detections, ap: list[float]) -> None:
    scores = evaluate(truth, found, RULES)
    column = scores.class_names.index("class3")
    assert 0 < min(ap) < max(ap) < 1
    np.testing.assert_allclose(scores.ap[:, column], ap, rtol=0, atol=1e-12)


@pytest.mark.measured
def test_evaluate_is_thousands_of_times_as_fast_as_a_data_frame_row_by_row(
    thumos14_size: tuple[GroundTruth, Detections],
) -> None:
    truth, found = thumos14_size
    fast = cpu_seconds(lambda: evaluate(truth, found, RULES), 15)
    begin = time.process_time()
    ap = row_by_row(truth, found, 3)
    slow = time.process_time() - begin
    assert_same(truth, found, ap)
    # one class of twenty was run row by row: the cost is linear in its detections
    share = np.count_nonzero(found.label == 3) / len(found)
    ratio = slow / share / fast
    tell(f"THUMOS14 size, 7 tIoU: {ratio:,.0f} x a data frame row by row")
    assert ratio > 2000


@pytest.mark.measured
def test_evaluate_costs_a_few_sorts_of_the_scores(
    thumos14_size: tuple[GroundTruth, Detections],
) -> None:
    truth, found = thumos14_size
    pairs = [
        (
            cpu_seconds(lambda: evaluate(truth, found, RULES), 3),
            cpu_seconds(lambda: np.argsort(found.score), 3),
        )
        for _ in range(10)
    ]
    ratio = min(ours for ours, _ in pairs) / min(sort for _, sort in pairs)
    tell(f"THUMOS14 size, 7 tIoU: {ratio:.1f} x one argsort of the scores")
    assert ratio < 8


MILLION = """
import sys, time
from pathlib import Path
from wsal_bench.evaluation import common, evaluate
from wsal_bench.evaluation.formats import detections_from_npz, truth_from_npz

def peak():  # in MB; getrusage would tell the peak of the process that started this one
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024

truth = truth_from_npz(sys.argv[1] + "/truth.npz")
evaluate(truth, detections_from_npz(sys.argv[1] + "/few.npz"), common("x"))
before = peak()
begin = time.process_time()
found = detections_from_npz(sys.argv[1] + "/million.npz")
read = time.process_time() - begin
begin = time.process_time()
scores = evaluate(truth, found, common("x"))
print(len(found), read, time.process_time() - begin)
print(before, peak())
"""


@pytest.mark.measured
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_million_detections_fit_in_little_memory(tmp_path: Path) -> None:
    truth, found = made_up_case(212, 3358, 1_000_000)
    truth_to_npz(truth, tmp_path / "truth.npz")
    detections_to_npz(found, tmp_path / "million.npz")
    detections_to_npz(made_up_case(212, 3358, 100)[1], tmp_path / "few.npz")
    # processes of their own: the peak of this one is that of everything before; two of them, as the
    # first may have to compile, which takes more memory than the million
    for _ in range(2):
        result = subprocess.run(
            [sys.executable, "-c", MILLION, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )
    first, second = result.stdout.splitlines()
    number, read, scored = first.split()
    before, peak = second.split()
    tell(
        f"{int(number):,} detections: npz {float(read):.2f} s, scores {float(scored):.2f} s "
        f"CPU; peak {peak} MB, {before} MB before",
    )
    # measured 289 MB, most of it the interpreter, numpy and the compiler
    assert int(peak) < 400


@pytest.mark.measured
def test_the_compiled_json_reader_is_several_times_as_fast_as_the_careful_one(
    tmp_path: Path,
) -> None:
    detections_to_json(made_up_case(212, 3358, 40_000)[1], tmp_path / "quick.json")
    document = json.loads((tmp_path / "quick.json").read_text())
    row = next(rows[0] for rows in document["results"].values() if rows)
    row["score"] = str(row["score"])  # one number in a string, and the careful reader takes over
    (tmp_path / "careful.json").write_text(json.dumps(document))
    seconds = {
        name: cpu_seconds(
            lambda name=name: detections_from_json(  # type: ignore[misc]
                tmp_path / f"{name}.json"
            ),
            3,
        )
        for name in ("quick", "careful")
    }
    ratio = seconds["careful"] / seconds["quick"]
    tell(f"JSON of 40,000 detections: {ratio:.1f} x the careful reader")
    assert ratio > 2.5

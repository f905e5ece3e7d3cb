"""The texts and pictures of a diagnosis, where there is little or much to show."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.diagnosis_cases import Row, ScoredRow, detections_of, truth_of
from wsal_bench.evaluation import common, evaluate
from wsal_bench.evaluation.diagnosis import Options, diagnose
from wsal_bench.report.diagnosis import bucket_range, summary, to_text
from wsal_bench.report.diagnosis_plots import MAX_CLASSES, PICTURES, write_plots


def document(truth: list[Row], found: list[ScoredRow], **options: Any) -> dict[str, Any]:
    segments, detections = truth_of(truth, seconds=100), detections_of(found)
    scores = evaluate(segments, detections, common("x"))
    return diagnose(segments, detections, scores, Options(**options)).to_json()


FEW = document([("v", "A", 0, 10)], [], buckets="thumos14")
MANY = document(
    [("v", f"class with a long name {k}", k, k + 0.5 + k / 10) for k in range(60)],
    [("v", f"class with a long name {k}", k, k + 0.4, 1 - k / 100) for k in range(60)],
)


@dataclass(frozen=True)
class Drawn:
    """A diagnosis whose pictures were drawn.

    Args:
        data: the diagnosis.
        folder: where they are, alone.
        written: what the drawing said it wrote.
    """

    data: dict[str, Any]
    folder: Path
    written: list[Path]

    def text(self, name: str) -> str:
        return (self.folder / f"{name}.svg").read_text()


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("few")
    return Drawn(FEW, folder, list(write_plots(FEW, folder)))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("many")
    return Drawn(MANY, folder, list(write_plots(MANY, folder)))


@pytest.mark.parametrize("amount", ["few", "many"])
def test_everything_is_drawn_and_written_whatever_there_is(
    amount: str, request: pytest.FixtureRequest
) -> None:
    drawn: Drawn = request.getfixturevalue(amount)
    names = sorted(path.name for path in drawn.folder.iterdir())
    assert names == sorted(path.name for path in drawn.written)
    assert len(drawn.written) == 2 * len(PICTURES)
    assert "mAP@AVG(0.1:0.7)" in to_text(drawn.data)


def test_a_quick_run_is_stamped_in_text_and_pictures(tmp_path: Path) -> None:
    quick = {**FEW, "quick": True}
    assert to_text(quick).startswith("QUICK")
    write_plots(quick, tmp_path)
    assert all("QUICK" in path.read_text() for path in tmp_path.glob("*.svg"))


def test_an_empty_bucket_is_a_dash_and_no_bar_of_height_zero(few: Drawn) -> None:
    assert FEW["sensitivity"][0]["average"] == [None, None, 0.0, None, None]
    line = next(line for line in to_text(FEW).splitlines() if line.startswith("XL (> 18 s)"))
    assert line.split()[-4:] == ["0", "0", "-", "-"]
    assert few.text("sensitivity").count("no truth") >= 4


def test_of_many_classes_the_best_and_the_worst_are_drawn(many: Drawn) -> None:
    text = many.text("per_class")
    assert f"the best and the worst {MAX_CLASSES // 2} of 60" in text
    assert len(set(re.findall(r"class with a long name \d+ ", text))) == MAX_CLASSES


def test_pictures_name_their_axes_and_units(many: Drawn) -> None:
    for name, words in {
        "precision_recall": ("recall (%)", "precision, mean over classes (%)", "tIoU"),
        "error_profile": ("at tIoU 0.5", "gain in mAP@AVG(0.1:0.7) (points)", "localization"),
        "per_class": ("average precision (%)",),
        "sensitivity": ("seconds", "percent of the video", "of the class in the video"),
    }.items():
        text = many.text(name)
        assert all(word in text for word in words)


@pytest.mark.parametrize(
    ("trait", "low", "high", "text"),
    [
        ("length", 3, 6, "3-6"),
        ("length", 18, None, "> 18"),
        ("coverage", 0.02, 0.04, "2-4"),
        ("coverage", 0.08, None, "> 8"),
        ("instances", 0, 1, "1"),
        ("instances", 1, 40, "2-40"),
        ("instances", 80, None, "> 80"),
    ],
)
def test_a_bucket_says_what_it_holds(trait: str, low: float, high: float, text: str) -> None:
    assert bucket_range(trait, low, high) == text


def test_the_summary_names_the_costliest_error() -> None:
    found = [("v", "A", 0.0, 4.0, 0.9), ("v", "A", 0.0, 10.0, 0.8), ("v", "A", 50.0, 60.0, 0.1)]
    lines = summary(document([("v", "A", 0, 10)], found))
    # from 0.5 on the first detection is a localization error: 3 of 7 thresholds gain a half
    assert "costliest error: localization; without it mAP@AVG(0.1:0.7) would be 100.0" in lines
    assert lines[0] == "mAP@AVG(0.1:0.7) 78.6, normalised 78.6"

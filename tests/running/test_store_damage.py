"""What is damaged is made again; what may be whole is left alone; what was edited shows nowhere."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.running.toys import numbers, request
from wsal_bench import files
from wsal_bench.environment import cpu_target
from wsal_bench.errors import DataError, UnreadableError
from wsal_bench.running.events import CellResult, Event, Note
from wsal_bench.running.results import ResultStore, RunFiles, ScoreKey, open_run
from wsal_bench.running.runner import run

OWN = ScoreKey("own", "tiny/common")


def one(results: Path, **options: Any) -> CellResult:
    """The one cell of a run of `plain`, made in this process."""
    (result,) = run(request(results, "plain", **options))
    return result


def notes(results: Path, *methods: str, **options: Any) -> list[str]:
    """What a run says beside its progress."""
    heard: list[Event] = []
    run(request(results, *methods, **options), heard.append)
    return [event.message for event in heard if isinstance(event, Note)]


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes a JSON document by hand, as a user could."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def everything(folder: Path) -> dict[str, bytes]:
    """All files but logs and locks, by path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("log.txt", ".lock")
    }


def test_a_record_of_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    place = RunFiles(Path(one(tmp_path).directory))
    edit(place.record, lambda record: record.update(schema="wsal-bench/record/2"))
    before = everything(tmp_path)
    with pytest.raises(UnreadableError, match="wsal-bench/record/2") as caught:
        one(tmp_path)
    assert caught.value.exit_code == 3
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", ["record.json", "tiny--common.json"])
def test_an_io_error_while_reading_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    one(tmp_path)
    before, real = everything(tmp_path), Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == name:
            raise OSError(errno.EIO, "Input/output error")
        return real(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", read)
        with pytest.raises(UnreadableError, match="Input/output error"):
            one(tmp_path)
    assert everything(tmp_path) == before


def test_what_was_there_is_kept_until_the_new_run_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = RunFiles(Path(one(tmp_path).directory))
    before = numbers(tmp_path)
    place.record.write_text("{")
    scores = place.scores("own", "tiny/common").read_bytes()
    real = files.write_json

    def dies(path: Path, document: Any) -> None:
        if path == place.record:
            raise KeyboardInterrupt
        real(path, document)

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_json", dies)
        with pytest.raises(KeyboardInterrupt):
            one(tmp_path)
    assert (place.aside / "record.json").read_text() == "{"
    (kept,) = place.aside.glob("recipes/own/scores/*.json")
    assert kept.read_bytes() == scores
    one(tmp_path)
    assert not place.aside.exists()
    assert numbers(tmp_path) == before


def test_a_record_vouches_for_segments_activations_and_scores(tmp_path: Path) -> None:
    place = RunFiles(Path(one(tmp_path).directory))
    known = json.loads(place.record.read_text())["digests"]
    own = ["activations.npz", "recipes/own/detections.npz", "recipes/own/scores/tiny--common.json"]
    assert sorted(known) == own
    one(tmp_path, recipe="common")  # scored later: the record learns of it
    later = json.loads(place.record.read_text())["digests"]
    assert {key: later[key] for key in own} == known
    assert len(later) == 5


def test_edited_scores_are_no_scores_and_are_made_again(tmp_path: Path) -> None:
    place = RunFiles(Path(one(tmp_path).directory))
    path = place.scores("own", "tiny/common")
    before = path.read_bytes()
    path.write_bytes(before.replace(b'"detections": ', b'"detections":  '))
    with pytest.raises(DataError, match="its digest is another one"):
        open_run(place.directory).scores[OWN]
    (said,) = notes(tmp_path, "plain")
    assert "scored again" in said
    assert path.read_bytes() == before


def test_edited_segments_are_cut_again(tmp_path: Path) -> None:
    place = RunFiles(Path(one(tmp_path).directory))
    before = numbers(tmp_path)
    cut = place.detections("own")
    from wsal_bench.evaluation.formats import detections_from_npz, detections_to_npz

    whole = detections_from_npz(cut)
    detections_to_npz(type(whole)(**{**vars(whole), "score": whole.score * 0.5}), cut)
    place.scores("own", "tiny/common").unlink()
    (said,) = notes(tmp_path, "plain")
    assert "localized again" in said
    assert numbers(tmp_path) == before


def without_digests(place: RunFiles) -> None:
    """As an earlier version wrote it."""
    edit(place.record, lambda record: record.pop("digests"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda scores: scores["ap"].update(dict.fromkeys(scores["ap"], [1.5] * 7)),
            r"outside \[0, 1\]",
        ),
        (lambda scores: scores["map"].__setitem__(0, 0.99), "'map' is"),
        (lambda scores: scores["averages"].update({"0.1:0.7": 0.99}), "'averages' is"),
        (lambda scores: scores["counts"].update(detections=7), "beside 7 detections"),
    ],
)
def test_scores_that_cannot_be_are_none_in_old_runs_too(
    tmp_path: Path, change: Any, complaint: str
) -> None:
    place = RunFiles(Path(one(tmp_path).directory))
    without_digests(place)
    edit(place.scores("own", "tiny/common"), change)
    with pytest.raises(DataError, match=complaint):
        open_run(place.directory).scores[OWN]


def test_an_old_run_is_shown_and_learns_its_digests(tmp_path: Path) -> None:
    place = RunFiles(Path(one(tmp_path).directory))
    known = json.loads(place.record.read_text())["digests"]
    without_digests(place)
    (stored,) = ResultStore(tmp_path).records()
    assert stored.scores[OWN].headline > 0
    one(tmp_path)
    assert json.loads(place.record.read_text())["digests"] == known


def test_another_cpu_target_is_said(tmp_path: Path) -> None:
    place = RunFiles(Path(one(tmp_path).directory))
    assert json.loads(place.record.read_text())["environment"]["cpu_target"] == cpu_target()
    edit(place.record, lambda record: record["environment"].update(cpu_target="z80-00000000"))
    (said,) = notes(tmp_path, "plain")
    assert "z80-00000000" in said and cpu_target() in said

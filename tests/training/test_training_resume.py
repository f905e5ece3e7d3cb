"""However a training is interrupted, it ends with the same weights, byte for byte."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.deaths import die_at_file, fill_the_disk, run_in_a_process, train
from tests.training.hooks import (
    EVERY_HOOK,
    PseudoLabels,
    Tiny,
    TwoOptimizers,
    Unsized,
    make,
    make_videos,
    session,
)
from wsal_bench.errors import DataError
from wsal_bench.training import loop as training
from wsal_bench.training.checkpoints import Position, last_weights

ALWAYS = float("inf")


def final_bytes(directory: Path) -> bytes:
    return (directory / "checkpoints" / "last.pt").read_bytes()


def history_lines(directory: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (directory / "history.jsonl").read_text().splitlines()]
    for line in lines:
        assert line.pop("seconds") > 0
    return lines


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[type[Tiny]], Path]:
    done: dict[type[Tiny], Path] = {}

    def directory_of(kind: type[Tiny]) -> Path:
        if kind not in done:
            done[kind] = tmp_path_factory.mktemp(kind.__name__)
            train(kind.__name__, done[kind])
        return done[kind]

    return directory_of


def assert_same(directory: Path, expected: Path) -> None:
    assert final_bytes(directory) == final_bytes(expected)
    assert history_lines(directory) == history_lines(expected)


def finish(kind: type[Tiny], directory: Path) -> training.TrainingResult:
    torch.rand(7)  # what happens elsewhere in the process must not matter
    return training.fit(
        make(kind, epochs=2), make_videos(), session(directory), checkpoint_share=ALWAYS
    )


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        *[(kind, steps) for kind in EVERY_HOOK for steps in (1, 2)],
        *[(kind, 3) for kind in (Tiny, TwoOptimizers)],
        *[(PseudoLabels, steps) for steps in (6, 7, 9, 12)],
        (Unsized, 16),
    ],
)
def test_a_stopped_training_resumes_as_if_nothing_had_happened(
    kind: type[Tiny], steps: int, tmp_path: Path, uninterrupted: Callable[[type[Tiny]], Path]
) -> None:
    method = make(kind, epochs=2)
    with pytest.raises(training.Interrupted) as stopped:
        training.fit(method, make_videos(), session(tmp_path, steps), checkpoint_share=ALWAYS)
    assert stopped.value.position.step > 0
    assert finish(kind, tmp_path).resumed_from == stopped.value.position
    assert_same(tmp_path, uninterrupted(kind))


def test_a_training_that_is_stopped_after_every_step_still_ends_the_same(
    tmp_path: Path, uninterrupted: Callable[[type[Tiny]], Path]
) -> None:
    for _ in range(12):  # 2 phases of 2 epochs of 3 batches
        with pytest.raises(training.Interrupted):
            training.fit(make(PseudoLabels, epochs=2), make_videos(), session(tmp_path, 1))
    finish(PseudoLabels, tmp_path)
    assert_same(tmp_path, uninterrupted(PseudoLabels))


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("number", range(1, 8))
def test_a_kill_around_any_file_changes_nothing(
    number: int, moved: bool, tmp_path: Path, uninterrupted: Callable[[type[Tiny]], Path]
) -> None:
    # the files: empty history, two epochs of each of two phases, last weights, whole history
    assert run_in_a_process(die_at_file, "PseudoLabels", tmp_path, number, moved) == -9
    result = finish(PseudoLabels, tmp_path)
    epochs = min(number - 2 + moved, 4)
    assert result.resumed_from == (
        None if epochs < 1 else Position((epochs - 1) // 2, (epochs - 1) % 2 + 1)
    )
    assert_same(tmp_path, uninterrupted(PseudoLabels))
    assert not list(tmp_path.rglob(".*")), "temporary files are left"


def test_there_are_seven_files_to_die_at(tmp_path: Path) -> None:
    assert run_in_a_process(die_at_file, "PseudoLabels", tmp_path, 8, False) == 0


def test_a_full_disk_is_said_and_training_goes_on_when_there_is_room(
    tmp_path: Path, uninterrupted: Callable[[type[Tiny]], Path]
) -> None:
    (tmp_path / "first").mkdir()
    run_in_a_process(die_at_file, "PseudoLabels", tmp_path / "first", 3, True)
    size = (tmp_path / "first" / "checkpoints" / "p0-e00002.pt").stat().st_size
    # what between_phases gave makes the checkpoints of the second phase bigger
    assert run_in_a_process(fill_the_disk, "PseudoLabels", tmp_path, size) == 3
    assert finish(PseudoLabels, tmp_path).resumed_from == Position(0, 2)
    assert_same(tmp_path, uninterrupted(PseudoLabels))


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("spoil", [damage, cut, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("number", [1, 2])
def test_damaged_checkpoints_are_said_and_passed_over(
    number: int,
    spoil: Callable[[Path], None],
    tmp_path: Path,
    uninterrupted: Callable[[type[Tiny]], Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(training.Interrupted):
        training.fit(
            make(Tiny, epochs=2), make_videos(), session(tmp_path, 5), checkpoint_share=ALWAYS
        )
    folder = tmp_path / "checkpoints"
    newest_first = ["p0-e00001-s00002.pt", "p0-e00001.pt"]
    assert sorted(path.name for path in folder.iterdir()) == newest_first
    for name in newest_first[:number]:
        spoil(folder / name)
    with caplog.at_level(logging.WARNING):
        result = finish(Tiny, tmp_path)
    assert result.resumed_from == (Position(0, 1) if number == 1 else None)
    for name in newest_first[:number]:
        assert f"{name}: half-written or damaged" in caplog.text
    assert ("starts again" in caplog.text) == (number == 2)
    assert_same(tmp_path, uninterrupted(Tiny))


def test_a_finished_training_is_not_trained_again_and_its_weights_are_put_right(
    tmp_path: Path, uninterrupted: Callable[[type[Tiny]], Path]
) -> None:
    finish(Tiny, tmp_path)
    damage(tmp_path / "checkpoints" / "last.pt")
    with pytest.raises(DataError, match="damaged"):
        last_weights(tmp_path)
    assert finish(Tiny, tmp_path).resumed_from == Position(0, 2)
    assert_same(tmp_path, uninterrupted(Tiny))


def test_how_often_checkpoints_are_taken_changes_nothing(
    tmp_path: Path, uninterrupted: Callable[[type[Tiny]], Path]
) -> None:
    training.fit(make(Tiny, epochs=2), make_videos(), session(tmp_path), checkpoint_share=0)
    assert_same(tmp_path, uninterrupted(Tiny))


def test_checkpoints_of_another_training_are_refused(tmp_path: Path) -> None:
    training.fit(make(Tiny, epochs=1), make_videos(), session(tmp_path))
    with pytest.raises(DataError, match="another training"):
        training.fit(make(Tiny, epochs=1, seed=1), make_videos(), session(tmp_path))


def test_a_changed_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training.fit(make(Tiny, epochs=1), make_videos(), session(tmp_path))
    monkeypatch.setattr(Tiny, "network", lambda self: torch.nn.Linear(6, 3))
    with pytest.raises(DataError, match="does not fit the network"):
        training.fit(make(Tiny, epochs=1), make_videos(), session(tmp_path))


def test_fewer_batches_than_were_done_are_refused(tmp_path: Path) -> None:
    with pytest.raises(training.Interrupted):
        training.fit(make(Tiny), make_videos(), session(tmp_path, 2))
    with pytest.raises(
        DataError, match="2 batches of phase 0, epoch 0 were done, but now it has 1"
    ):
        training.fit(make(Tiny), make_videos(2), session(tmp_path))


def test_the_newest_two_checkpoints_and_the_last_weights_stay(
    uninterrupted: Callable[[type[Tiny]], Path],
) -> None:
    names = {path.name for path in (uninterrupted(PseudoLabels) / "checkpoints").iterdir()}
    assert names == {"p1-e00001.pt", "p1-e00002.pt", "last.pt"}

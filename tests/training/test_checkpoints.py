"""Checkpoints and the log of losses, by themselves."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from wsal_bench.errors import DataError
from wsal_bench.training.checkpoints import (
    Checkpoint,
    CheckpointFolder,
    Position,
    last_weights,
    pack,
    unpack,
)
from wsal_bench.training.history import (
    EpochRecord,
    LossLog,
    append,
    from_lines,
    rewrite,
    stack_terms,
    to_lines,
)

CPU = torch.device("cpu")


def names(folder: CheckpointFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def test_packing_and_unpacking_gives_the_same_values() -> None:
    value: dict[str, Any] = {
        "tensor": torch.arange(3, dtype=torch.bfloat16),
        "array": np.arange(6, dtype=np.uint16).reshape(2, 3),
        "words": np.array(["run", "jump"]),
        "plain": [1, 2.5, None, True, "text", np.float32(0.5)],
    }
    again = unpack(pack(value))
    assert torch.equal(again["tensor"], value["tensor"])
    assert np.array_equal(again["array"], value["array"])
    assert again["array"].dtype == np.uint16
    assert list(again["words"]) == ["run", "jump"]
    assert again["plain"] == [1, 2.5, None, True, "text", 0.5]


def test_a_packed_tensor_does_not_follow_the_original() -> None:
    weight = torch.zeros(2, requires_grad=True)
    packed = pack(weight)
    with torch.no_grad():
        weight += 1
    assert packed.tolist() == [0, 0]
    assert not packed.requires_grad


@pytest.mark.parametrize("value", [{1}, {1: 2}, b"bytes", np.array([object()]), object()])
def test_what_a_checkpoint_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"state\['deep'\] is a"):
        pack({"deep": value})


def test_the_newest_is_the_one_that_is_furthest_in_training(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, keep=9)
    # not the order of their names: 100000 epochs have a digit more
    positions = [Position(0, 99_999), Position(0, 100_000), Position(0, 100_000, 3), Position(1)]
    for position in positions:
        folder.save(Checkpoint(position, {"at": str(position)}))
        found = folder.newest(CPU)
        assert found is not None
        assert found.position == position
        assert found.content == {"at": str(position)}


def test_older_and_damaged_checkpoints_go_when_one_is_saved(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    for epoch in (1, 2):
        folder.save(Checkpoint(Position(0, epoch), {}))
    (folder.path / "p0-e00002-s00005.pt").write_bytes(b"half")
    (folder.path / "p0-e00009.pt").write_bytes(b"half")
    found = folder.newest(CPU)
    assert found is not None
    assert found.position == Position(0, 2)
    folder.save(Checkpoint(Position(0, 3), {}))
    assert names(folder) == ["p0-e00002.pt", "p0-e00003.pt"]


def test_temporary_files_of_a_killed_process_go(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path)
    with pytest.raises(RuntimeError), _dying(folder.path / "p0-e00001.pt"):
        pass
    assert len(names(folder)) == 1
    assert names(CheckpointFolder(tmp_path)) == []


class _dying:  # noqa: N801 - reads as a verb
    """Leaves what a kill during a write leaves."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.path.with_name(f".{self.path.name}.{'0' * 32}.tmp").write_bytes(b"half")

    def __exit__(self, *_: object) -> None:
        raise RuntimeError("dead")


def test_a_whole_file_of_something_else_is_not_a_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = CheckpointFolder(tmp_path)
    folder.save(Checkpoint(Position(0, 1), {"object": Position()}))  # not a plain value
    with caplog.at_level(logging.WARNING):
        assert folder.newest(CPU) is None
    assert "no safe checkpoint" in caplog.text


def test_equal_weights_give_equal_files_that_torch_reads_by_itself(tmp_path: Path) -> None:
    weights = {"w": torch.rand(3, 4).T, "b": torch.rand(10)[2:5]}
    copies = {name: value.clone() for name, value in weights.items()}
    for directory, values in (("a", weights), ("b", copies)):
        CheckpointFolder(tmp_path / directory).save_last(values)
    paths = [tmp_path / name / "checkpoints" / "last.pt" for name in "ab"]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    for read in (last_weights(tmp_path / "a"), torch.load(paths[0], weights_only=True)):
        assert {name: value.tolist() for name, value in read.items()} == {
            name: value.tolist() for name, value in weights.items()
        }


def test_no_last_weights_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"last\.pt: cannot be read"):
        last_weights(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be made"):
        CheckpointFolder(tmp_path / "file")


def test_the_log_waits_for_the_device_only_when_it_is_time() -> None:
    log = LossLog(0, 0, check_every=3)
    unreadable = torch.empty(1, device="meta")  # has no values, so looking fails
    log.add(("mil",), unreadable)
    log.add(("mil",), unreadable)
    with pytest.raises(NotImplementedError):
        log.add(("mil",), unreadable)


def test_the_mean_does_not_depend_on_when_somebody_looked() -> None:
    values = torch.rand(100, 1, dtype=torch.float64) * 10 ** torch.linspace(-10, 10, 100)[:, None]
    means = set()
    for every in (1, 7, 1000):
        log = LossLog(0, 0, check_every=every)
        for value in values:
            log.add(("mil",), value)
        means.add(log.means()["mil"])
    assert len(means) == 1


def test_rough_terms_are_summed_in_float32_and_exact_ones_stay_exact() -> None:
    rough = torch.tensor(1.0, dtype=torch.bfloat16)
    assert stack_terms({"a": rough, "b": rough}).dtype == torch.float32
    assert stack_terms({"a": rough, "b": rough.double()}).dtype == torch.float64


def test_history_lines_are_read_back(tmp_path: Path) -> None:
    records = [EpochRecord(0, epoch, 3, 0.1, {"mil": 0.1 + epoch}) for epoch in range(3)]
    rewrite(tmp_path, records[:1])
    for record in records[1:]:
        append(tmp_path, record)
    assert (tmp_path / "history.jsonl").read_text() == to_lines(records)
    assert from_lines(to_lines(records)) == records


def test_a_history_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").mkdir()
    with pytest.raises(DataError, match=r"history\.jsonl: cannot be written"):
        append(tmp_path, EpochRecord(0, 0, 1, 0.1, {}))

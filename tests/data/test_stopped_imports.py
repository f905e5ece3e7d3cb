"""Imports that were killed, stopped or disturbed go on to the same bytes, or leave nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.made_up import LENGTH, VIDEOS, MadeUp, write_acm
from tests.data.test_importing import FORM, content, source_of
from wsal_bench.data.importing import BadSourceError, write_store
from wsal_bench.data.source import Source, SourceVideo
from wsal_bench.data.store import Store
from wsal_bench.data.validating import validate_store
from wsal_bench.errors import DataError


def counting(source: Source, read: list[str]) -> Source:
    """The source, which notes the videos that are read of it."""

    def counted(video: SourceVideo) -> NDArray[Any]:
        read.append(video.video_id)
        return video.read()

    videos = tuple(replace(video, read=partial(counted, video)) for video in source.videos)
    return replace(source, videos=videos)


_IMPORT = """
import os, sys
from pathlib import Path
from wsal_bench.data.importing import Form, write_store
from wsal_bench.data.layouts import recognise

root, store, moment = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

def report(done, total):
    if done == moment:
        os.kill(os.getpid(), 9)

write_store(recognise(root).read(root, None), store, Form("mine", 25, 16), report=report)
"""


@pytest.mark.parametrize("moment", [1, 2, 3, 4])
def test_a_killed_import_goes_on_to_the_same_bytes(tmp_path: Path, moment: int) -> None:
    root = write_acm(tmp_path / "src")
    store = tmp_path / "killed"
    command = [sys.executable, "-c", _IMPORT, str(root), str(store), str(moment)]
    killed = subprocess.run(command, check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert not store.exists()
    read: list[str] = []
    source = source_of(root)
    write_store(counting(source, read), store, FORM)
    write_store(source, tmp_path / "whole", FORM)
    assert content(store) == content(tmp_path / "whole")
    assert read == [video.name for video in VIDEOS[moment:]], "what was done is not done again"
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_changed_since_the_kill_is_read_again(tmp_path: Path) -> None:
    root = write_acm(tmp_path / "src")
    command = [sys.executable, "-c", _IMPORT, str(root), str(tmp_path / "mine"), "3"]
    subprocess.run(command, check=False, env=os.environ)
    np.save(root / "train" / "video_train_1.npy", np.full((LENGTH + 1, 4), 5, np.float32))
    write_store(source_of(root), tmp_path / "mine", FORM)
    changed = Store(tmp_path / "mine").features("train")["video_train_1"]
    assert np.array_equal(changed, np.full((LENGTH + 1, 4), 5))
    assert validate_store(tmp_path / "mine").problems == ()


def _rows(folder: Path) -> None:
    path = folder / "train.npy"  # of two videos of 10 x 4 x float32, behind 128 bytes
    data = bytearray(path.read_bytes())
    data[128 + 160 + 5] ^= 1
    path.write_bytes(bytes(data))


def _journal(change: Callable[[list[bytes]], Any]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        lines = (folder / "journal.jsonl").read_bytes().splitlines()
        change(lines)
        (folder / "journal.jsonl").write_bytes(b"\n".join([*lines, b""]))

    return write


def _edit(lines: list[bytes], old: bytes, new: bytes) -> None:
    assert old in lines[2]
    lines[2] = lines[2].replace(old, new)


def _line(number: int, text: bytes) -> Callable[[Path], None]:
    return _journal(lambda lines: lines.__setitem__(number, text))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source, and an import of it that was killed after three of four videos."""
    root = tmp_path_factory.mktemp("killed")
    write_acm(root / "src")
    command = [sys.executable, "-c", _IMPORT, str(root / "src"), str(root / "mine"), "3"]
    assert subprocess.run(command, check=False, env=os.environ).returncode == -signal.SIGKILL
    return root


_ROWS_DIFFER = (VIDEOS[1], VIDEOS[3])  # the second video is made again, the third stays
_LINE_ENDS_IT = VIDEOS[1:]  # what stands behind a damaged line is not known either


@pytest.mark.parametrize(
    ("breaks", "again"),
    [
        (_rows, _ROWS_DIFFER),
        (_line(0, b'{"dtype": null, "width": null}'), VIDEOS),
        (_line(0, b"[]"), VIDEOS),
        (_line(2, b"{}"), _LINE_ENDS_IT),
        (_line(2, b"null"), _LINE_ENDS_IT),
        (_line(2, b"\xff\xfe"), _LINE_ENDS_IT),
        (_journal(lambda lines: _edit(lines, b"float", b"bloat")), _LINE_ENDS_IT),
        (_journal(lambda lines: _edit(lines, b'"length": 10', b'"length": -1')), _ROWS_DIFFER),
        (_journal(lambda lines: _edit(lines, b'"length": 10', b'"length": 9')), _ROWS_DIFFER),
        (_journal(lambda lines: _edit(lines, b'"crc32": "', b'"crc32": "0')), _ROWS_DIFFER),
    ],
)
def test_what_was_altered_since_the_kill_is_made_again(
    killed: Path, tmp_path: Path, breaks: Callable[[Path], None], again: tuple[MadeUp, ...]
) -> None:
    shutil.copytree(killed / ".mine.importing", tmp_path / ".mine.importing")
    breaks(tmp_path / ".mine.importing")
    source, read = source_of(killed / "src"), list[str]()
    write_store(counting(source, read), tmp_path / "mine", FORM)
    assert read == [video.name for video in again]
    write_store(source, tmp_path / "whole", FORM)
    assert content(tmp_path / "mine") == content(tmp_path / "whole")


def test_features_of_another_form_since_the_kill_are_all_read_again(tmp_path: Path) -> None:
    root = write_acm(tmp_path / "src")
    command = [sys.executable, "-c", _IMPORT, str(root), str(tmp_path / "mine"), "3"]
    subprocess.run(command, check=False, env=os.environ)
    for video in VIDEOS:
        if video.name != "video_test_2":  # was imported as float32, and has not changed
            path = root / video.split / f"{video.name}.npy"
            np.save(path, video.features.astype(np.float16))
    with pytest.raises(BadSourceError, match="float32, those before float16"):
        write_store(source_of(root), tmp_path / "mine", FORM)
    assert not (tmp_path / "mine").exists()


def test_an_import_that_is_killed_twice_keeps_what_both_did(tmp_path: Path) -> None:
    root = write_acm(tmp_path / "src")
    dies = "import numpy\nnumpy.load = lambda *_, **__: os.kill(os.getpid(), 9)\n"
    for script in (_IMPORT, _IMPORT.replace("root, store", dies + "root, store", 1)):
        command = [sys.executable, "-c", script, str(root), str(tmp_path / "mine"), "3"]
        killed = subprocess.run(command, check=False, env=os.environ)
        assert killed.returncode == -signal.SIGKILL
    journal = tmp_path / ".mine.importing" / "journal.jsonl"
    assert [json.loads(line)["video"] for line in journal.read_text().splitlines()[1:]] == [
        f"{video.split}/{video.name}" for video in VIDEOS[:3]
    ]


def test_two_imports_at_once_do_not_write_into_each_other(tmp_path: Path) -> None:
    root = write_acm(tmp_path / "src")
    waits = _IMPORT.replace("os.kill(os.getpid(), 9)", "print('half', flush=True); input()")
    command = [sys.executable, "-c", waits, str(root), str(tmp_path / "mine"), "2"]
    first = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "half\n"
    with pytest.raises(DataError, match=rf"another process \({first.pid}\) is writing here"):
        write_store(source_of(root), tmp_path / "mine", FORM)
    first.communicate("go on\n")
    assert first.returncode == 0
    names = {path.name for path in (tmp_path / "mine").iterdir()}
    assert names == {"index.json", "train.npy", "test.npy", "truth"}


def test_a_full_disk_is_said_in_one_sentence(tmp_path: Path) -> None:
    root = write_acm(tmp_path / "src")
    limited = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
    )
    catch = _IMPORT.replace("write_store(recognise", "try:\n    write_store(recognise")
    catch += "\nexcept Exception as error:\n    print(type(error).__name__, error)\n"
    command = [sys.executable, "-c", limited + catch, str(root), str(tmp_path / "mine"), "0"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
    assert done.stdout.startswith("DataError")
    assert "cannot be written (File too large)" in done.stdout
    assert not (tmp_path / "mine").exists()

"""Errors of plugins name the author's line."""

from pathlib import Path

import pytest

from wsal_bench import plugins
from wsal_bench.cli.doctor import _conformance
from wsal_bench.errors import UsageError
from wsal_bench.plugins import PLUGIN_FOLDERS, blame

SOURCE = '''"""A method whose file breaks."""

import math
import sys

from wsal_bench import api

{statement}


class Method(api.Method):
    """None."""
'''


def write(folder: Path, monkeypatch: pytest.MonkeyPatch, statement: str) -> Path:
    (folder / "methods").mkdir(parents=True)
    file = folder / "methods" / "breaks.py"
    file.write_text(SOURCE.format(statement=statement))
    monkeypatch.setenv(PLUGIN_FOLDERS, str(folder))
    return file


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("math.sqrt(-1.0)", "ValueError: math domain error"),
        ("sys.exit(3)", "SystemExit: 3"),
        ("import wsal_bench.nowhere", "ModuleNotFoundError: No module named 'wsal_bench.nowhere'"),
    ],
)
def test_an_import_that_fails_names_file_line_and_code_also_in_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, says: str
) -> None:
    file = write(tmp_path, monkeypatch, statement)
    place = f"{says} ({file}, line 8, in <module>: {statement})"
    with pytest.raises(UsageError) as caught:
        plugins.load("methods", "breaks")
    assert place in str(caught.value)
    (check,) = _conformance("breaks")
    assert not check.ok
    assert place in check.message


def test_frames_of_the_suite_are_nobodys_fault() -> None:
    try:
        plugins.load("methods", "nothing-of-that-name")
    except UsageError as error:
        trace = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
        assert blame.place(trace) == ""


def test_a_fatal_signal_is_placed_by_what_python_wrote_last(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    suite = Path(blame.__file__)
    log.write_text(
        'Fatal Python error: Aborted\n\n  File "/old/mine.py", line 1 in old\n'
        "later\nFatal Python error: Segmentation fault\n\nCurrent thread 0x1:\n"
        f'  File "{suite}", line 3 in kernel\n  File "/my/mine.py", line 7 in loss\n'
    )
    assert blame.place_of_death(log) == " (/my/mine.py, line 7, in loss)"
    assert blame.place_of_death(tmp_path / "none") == ""

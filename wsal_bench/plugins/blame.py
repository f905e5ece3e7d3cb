"""Whose line it was: the author's own frame in the traceback of a plugin that failed."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from wsal_bench.errors import WsalError

_PLUGINS = ("wsal_methods", "wsal_datasets")
_HARNESS = str(Path(__file__).parents[1])
_FATAL = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<name>.+)$', re.MULTILINE)


def sentence(error: BaseException) -> str:
    """What was raised, and where in the author's own files if it came through them."""
    told = str(error) if isinstance(error, WsalError) else f"{type(error).__name__}: {error}"
    return told + place(error)


def place(error: BaseException) -> str:
    """` (FILE, line N, in NAME: CODE)`; empty where no line of a plugin had a part in it."""
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if _is_authors(code.co_filename, str(frame.f_globals.get("__name__", ""))):
            text = traceback.FrameSummary(code.co_filename, line, code.co_name).line
            found = f" ({code.co_filename}, line {line}, in {code.co_name}: {text})"
    if not found and isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}, line {error.lineno})"
    return found


def place_of_death(log: Path) -> str:
    """The same from what Python wrote into a log when the process received a fatal signal."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    for frame in _FATAL.finditer(text, max(text.rfind("Fatal Python error"), 0)):
        if _is_authors(frame["file"], ""):
            return f" ({frame['file']}, line {frame['line']}, in {frame['name']})"
    return ""


def _is_authors(file: str, module: str) -> bool:
    if module.partition(".")[0] in _packages():
        return True
    path = str(Path(file).resolve())
    return not file.startswith("<") and not path.startswith(_foreign())


@cache
def _packages() -> frozenset[str]:
    """Top packages of plugins, also of installed ones."""
    from importlib.metadata import entry_points

    groups = ("wsal_bench.methods", "wsal_bench.datasets")
    found = (point.value for group in groups for point in entry_points(group=group))
    return frozenset((*_PLUGINS, *(re.split(r"[.:]", value)[0] for value in found)))


@cache
def _foreign() -> tuple[str, ...]:
    """Folders of the suite, of Python and of installed packages."""
    return tuple(dict.fromkeys(f"{Path(folder).resolve()}{os.sep}" for folder in _folders()))


def _folders() -> Iterator[str]:
    yield _HARNESS
    for name in ("stdlib", "platstdlib", "purelib", "platlib"):
        yield sysconfig.get_path(name)
    yield from (path for path in sys.path if path.endswith(("site-packages", "dist-packages")))

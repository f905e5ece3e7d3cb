"""Compiled functions: numba, set up once, with a cache that survives the process.

A module with compiled functions imports `compiled` from here at its top and is itself imported by
the function that needs it, when it needs it: importing numba takes a third of a second.

Two rules keep the cache honest. Numba by itself notices a change of the file that a function
stands in, not of the files that it calls into; here the stamp of what was compiled covers every
file of the function's folder, so a compiled function may call those of its own folder and of no
other. And its result must not depend on the machine's number of threads.

Knows nothing of the suite but its clock, which stands still while numba gets ready: no timing of
work holds what is done once.
"""

from __future__ import annotations

import glob
import logging
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from wsal_bench import clock

with clock.paused():
    import numba
    from numba.core import event
    from numba.core.registry import cpu_target

    # the first call would do it, and a server of processes does it for all of them
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()

Function = TypeVar("Function", bound=Callable[..., Any])

LOG = logging.getLogger("wsal_bench.compiling")
_SEALED = "sha256"  # how code is kept; another way needs another word
ANNOUNCEMENT = "compiling for this machine, once: up to half a minute"


def compiled(function: Function | None = None, **options: Any) -> Any:
    """Compiles a function when it is first called, for the types it is called with.

    What was compiled is kept on disk: beside the source, else in the user's cache folder, else (as
    where nothing can be written) for this process only. Arithmetic is IEEE's, division by zero
    gives inf or NaN as in numpy, and the interpreter's lock is released.

    Args:
        function: what to compile; None: a decorator with these options.
        **options: further options of `numba.njit`, such as `parallel`.
    """
    if function is None:
        return lambda inner: compiled(inner, **options)
    chosen = {"nogil": True, "error_model": "numpy", "boundscheck": False, **options}
    try:
        dispatcher = numba.njit(cache=True, **chosen)(function)
    except RuntimeError as error:  # numba: no folder for the cache
        LOG.debug("%s is not kept on disk: %s", function.__qualname__, error)
        return numba.njit(**chosen)(function)
    index = dispatcher._cache._cache_file
    stamp = (index._source_stamp, _folder_stamp(function.__code__.co_filename), _SEALED)
    index._source_stamp = stamp
    kept = _Kept(index, index.load, index.save)
    index.load, index.save = kept.load, kept.save
    dispatcher._cache.load_overload = clock.paused()(dispatcher._cache.load_overload)
    return dispatcher


@dataclass(frozen=True)
class _Kept:
    """What is on disk of one function: written by one process at a time, checked when read.

    Saving reads the list of what is there, adds a name and writes the list, then the code. Two
    processes that compile a function for different types would pick the same name: the list would
    lead to the code of the other types.

    Args:
        index: numba's files of the function.
        read: its `load`.
        write: its `save`.
    """

    index: Any
    read: Callable[[Any], Any]
    write: Callable[[Any, Any], None]

    def save(self, key: Any, code: Any) -> None:
        """Writes code with its digest; without a way to be alone, nothing is kept."""
        content = self.index._dump(code)
        with _held(Path(self.index._cache_path) / "compiled.lock") as alone:
            if alone:
                self.load(key)  # numba would stumble over a damaged list
                self.write(key, (sha256(content).hexdigest(), content))

    def load(self, key: Any) -> Any:
        """The code; None where there is none, or where it was damaged and is thrown away."""
        try:
            found = self.read(key)
            if found is None:
                return None
            digest, content = found
            if sha256(content).hexdigest() == digest:
                return pickle.loads(content)
        except Exception as error:  # noqa: BLE001 - damaged bytes may ask for anything
            LOG.debug("%s", error)
        _say_damaged(self.index._cache_path)
        for path in (Path(self.index._index_path), *self._code()):
            with suppress(OSError):
                path.unlink()
        return None

    def _code(self) -> Iterator[Path]:
        name = Path(self.index._index_name).stem
        yield from Path(self.index._cache_path).glob(f"{glob.escape(name)}.*.nbc")


@cache
def _say_damaged(folder: str) -> None:
    """Once for a folder."""
    LOG.warning("%s: compiled code is damaged; it is thrown away and compiled again", folder)


@contextmanager
def _held(lock: Path) -> Iterator[bool]:
    """Whether nobody else is in here; a file system without locks cannot say so."""
    try:
        import fcntl
    except ImportError:  # Windows: as numba does it
        yield True
        return
    with lock.open("w") as handle:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX)
        except OSError as error:
            LOG.debug("%s: %s; nothing is kept", lock, error)
            yield False
            return
        yield True


def _folder_stamp(file: str) -> str:
    """Digest of every Python file beside a file, itself included."""
    return _digest(str(Path(file).parent))


@cache
def _digest(folder: str) -> str:
    found = sha256()
    for path in sorted(Path(folder).glob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


class _Announcer(event.Listener):
    """Says once in a process that functions are compiled, and stops the clock meanwhile."""

    def __init__(self) -> None:
        self._said = threading.Event()

    def on_start(self, event: event.Event) -> None:
        clock.pause()
        module = str(event.data["dispatcher"].py_func.__module__)
        if module.startswith("wsal_bench") and not self._said.is_set():
            self._said.set()
            # a warning: the one level that shows where nobody has set up logging
            LOG.warning(ANNOUNCEMENT)

    def on_end(self, event: event.Event) -> None:
        clock.resume()


event.register("numba:compile", _Announcer())  # type: ignore[no-untyped-call]

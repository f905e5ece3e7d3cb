"""What tables need of a store, in one file beside its runs: made anew at will, never the truth.

`<results>/.index.json` holds records, and scores without matches, each with the stamp (inode, size,
times) of the file that it was read from, and the statistics of the last tables. A file with another
stamp is read again, and compared with its digest; an index that cannot be read, or is of another
version, is made anew.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from wsal_bench import __version__, files
from wsal_bench.errors import DataError
from wsal_bench.evaluation import Counts, Protocol, Scores
from wsal_bench.running.record_file import read_record

INDEX: Final = ".index.json"
_FORMAT: Final = f"wsal-bench/index/1 {__version__}"
_WORTH = 200  # files; fewer are read as fast
_TABLES = 200  # the last ones
_UNSHOWN = ("environment", "inputs", "history")
_log = logging.getLogger("wsal_bench.index")

Stamp = list[int]


def stamp_of(path: str | Path) -> Stamp | None:
    """What changes whenever a file does; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - 10,000 of them
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def names_in(folder: str | Path) -> list[str]:
    """What lies in a folder, sorted; nothing where there is none."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - of 10,000 folders
    except (FileNotFoundError, NotADirectoryError):
        return []


class StoreIndex:
    """The index of one store, read once; `save` writes it if anything changed.

    Args:
        results: the store.
    """

    def __init__(self, results: Path) -> None:
        self._path = results / INDEX
        self._above = len(os.fspath(self._path)) - len(INDEX)
        content = _read(self._path)
        self._old: dict[str, list[Any]] = content["files"]
        self._protocols: list[dict[str, Any]] = content["protocols"]
        self._made: dict[int, Protocol] = {}
        self._numbers = {_text(rules): n for n, rules in enumerate(self._protocols)}
        self._tables: dict[str, Any] = content["tables"]
        self._new: dict[str, list[Any]] = {}
        self._changed = False

    def record(self, path: Path) -> dict[str, Any]:
        """A record without what no table shows; read where it is new or another one.

        Raises:
            DataError: as of `read_record`.
        """
        name, stamp = self._name(path), stamp_of(path)
        found: dict[str, Any] | None = self._known(name, stamp)
        if found is None:
            record = read_record(path)
            found = {key: value for key, value in record.items() if key not in _UNSHOWN}
            self._keep(name, stamp, found)
        return found

    def names(self, folder: str | Path) -> list[str]:
        """As `names_in`, from before where nothing came or went since."""
        name, stamp = self._name(folder), stamp_of(folder)
        found: list[str] | None = self._known(name, stamp)
        if found is None:
            found = names_in(folder)
            self._keep(name, stamp, found)
        return found

    def scores(self, path: str | Path, read: Callable[[], Scores]) -> Scores:
        """Scores without matches; read where the file is new or another one.

        Args:
            path: the file.
            read: reads and checks it.

        Raises:
            DataError: `read` did.
        """
        name, stamp = self._name(path), stamp_of(path)
        found = self._known(name, stamp)
        if found is None:
            found = self._summary(read())
            self._keep(name, stamp, found)
        number = found["protocol"]
        if number not in self._made:
            self._made[number] = Protocol(**self._protocols[number])
        ap = np.array(found["ap"], dtype=np.float64)
        counts = Counts(*found["counts"])
        return Scores(self._made[number], tuple(found["class_names"]), ap, counts)

    def _summary(self, scores: Scores) -> dict[str, Any]:
        rules = json.loads(json.dumps(asdict(scores.protocol)))
        number = self._numbers.setdefault(_text(rules), len(self._protocols))
        if number == len(self._protocols):
            self._protocols.append(rules)
        return {
            "protocol": number,
            "class_names": list(scores.class_names),
            "ap": scores.ap.tolist(),
            "counts": list(vars(scores.counts).values()),
        }

    def table(self, key: str) -> Any:
        """What was kept of a table; None where nothing was."""
        return self._tables.get(key)

    def keep_table(self, key: str, value: Any) -> None:
        """Keeps what was computed of a table, as plain values."""
        self._tables[key] = value
        self._changed = True

    def save(self) -> None:
        """Writes what is known, if that is news; a folder that cannot be written has no index."""
        if not self._changed or len(self._old | self._new) < _WORTH:
            return
        content = json.dumps(
            {
                "files": self._old | self._new,
                "protocols": self._protocols,
                "tables": dict([*self._tables.items()][-_TABLES:]),
            }
        )
        text = f"{_FORMAT} {sha256(content.encode()).hexdigest()}\n{content}"
        try:
            files.write_text(self._path, text)
        except DataError as error:
            _log.debug("%s; tables take longer", error)
        self._changed = False

    def forget(self, directories: set[str]) -> None:
        """Drops what is known of runs that are not among these directories any more."""
        kept = {self._name(directory) for directory in directories}
        gone = [
            path
            for path in self._old
            if path.count("/") >= 3 and "/".join(path.split("/", 4)[:4]) not in kept
        ]
        for path in gone:
            del self._old[path]
        self._changed |= bool(gone)

    def _name(self, path: str | Path) -> str:
        return os.fspath(path)[self._above :]  # `relative_to` takes ten times as long

    def _known(self, path: str, stamp: Stamp | None) -> Any:
        found = self._new.get(path) or self._old.get(path)
        return found[1] if found is not None and found[0] == stamp else None

    def _keep(self, path: str, stamp: Stamp | None, value: Any) -> None:
        if stamp is None:
            return
        self._new[path] = [stamp, value]
        self._changed = True


def _read(path: Path) -> dict[str, Any]:
    empty: dict[str, Any] = {"files": {}, "protocols": [], "tables": {}}
    try:
        head, _, content = path.read_bytes().partition(b"\n")
    except OSError:
        return empty
    if head.decode("ascii", "replace") != f"{_FORMAT} {sha256(content).hexdigest()}":
        return empty
    found: dict[str, Any] = msgspec.json.decode(content)
    return found


def _text(rules: Mapping[str, Any]) -> str:
    return json.dumps(rules, sort_keys=True)

"""What a disk holds after a power cut: file operations are watched, and each moment can be rebuilt.

Two disks are kept. The forgetful one has what was synced and nothing else: contents as of the last
sync of their file, names as of the last sync of their folder. The hasty one has every name at once,
but contents only as they were synced, as file systems do that write names first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

Tree = dict[str, bytes | None]
"""Content by path; None: a folder."""

_WATCHED = ("replace", "rename", "mkdir", "unlink", "rmdir", "link")


@dataclass
class Disk:
    """The folder that is watched, and what of it would survive.

    Attributes:
        moments: states after a power cut, in order, each one once.
        operations: how many were watched.
        kept: what the forgetful disk has at present.
    """

    root: Path
    moments: list[Tree] = field(default_factory=list)
    operations: int = 0
    kept: Tree = field(default_factory=dict)
    _contents: dict[int, bytes] = field(default_factory=dict)
    _names: dict[int, dict[str, int]] = field(default_factory=dict)
    _folders: set[int] = field(default_factory=set)
    _ids: dict[int, int] = field(default_factory=dict)
    _new: int = 0

    @contextmanager
    def watched(self) -> Iterator[Disk]:
        """Watches while the block runs."""
        with ExitStack() as stack:
            stack.enter_context(patch.object(os, "fsync", self._syncing()))
            for name in _WATCHED:
                stack.enter_context(patch.object(os, name, self._acting(name)))
            self._sync(self.root)
            yield self
        self._note()

    def _syncing(self) -> Callable[[int], None]:
        real = os.fsync

        def fsync(handle: int) -> None:
            real(handle)
            path = Path(f"/proc/self/fd/{handle}").readlink()
            if path.is_relative_to(self.root):
                self._sync(path)
                self._note()

        return fsync

    def _acting(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def act(*args: Any, **kwargs: Any) -> Any:
            before = self._numbers()
            done = real(*args, **kwargs)
            for number in before - self._numbers():  # may be given to another file
                self._ids.pop(number, None)
            self._note()
            return done

        return act

    def _numbers(self) -> set[int]:
        return {path.lstat().st_ino for path in self.root.rglob("*")}

    def _id(self, path: Path) -> int:
        number = path.lstat().st_ino
        if number not in self._ids:
            self._new += 1
            self._ids[number] = self._new
            if path.is_dir():
                self._folders.add(self._new)
        return self._ids[number]

    def _sync(self, path: Path) -> None:
        if path.is_dir():
            self._names[self._id(path)] = {item.name: self._id(item) for item in path.iterdir()}
        elif path.exists():
            self._contents[self._id(path)] = path.read_bytes()

    def _note(self) -> None:
        self.operations += 1
        self.kept = {}
        self._collect(self._id(self.root), "", self.kept)
        hasty: Tree = {
            str(path.relative_to(self.root)): None
            if path.is_dir()
            else self._contents.get(self._id(path), b"")
            for path in sorted(self.root.rglob("*"))
        }
        self.moments += [tree for tree in (self.kept, hasty) if tree not in self.moments[-6:]]

    def _collect(self, folder: int, place: str, tree: Tree) -> None:
        for name, item in self._names.get(folder, {}).items():
            if item in self._folders:
                tree[place + name] = None
                self._collect(item, place + name + "/", tree)
            else:
                tree[place + name] = self._contents.get(item, b"")


def rebuild(tree: Tree, root: Path) -> None:
    """Writes a state into an empty folder."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in tree.items():
        path = root / name
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

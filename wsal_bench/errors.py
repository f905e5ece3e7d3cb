"""What a user can do wrong, each with the exit code that the command line gives it.

WsalError                  exit code 1
├── UsageError             2   a name, an option or a value
├── DataError              3   data, files, folders: cannot be read or written, or wrong inside
│   └── UnreadableError    3   a file that may be whole: nothing may be made in its place
├── GateError              5   a check that was asked for did not pass
├── UnavailableError       6   a device or an optional dependency is not there
└── NonFiniteLossError     4   training met a NaN or an infinity: the cell has failed
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path


class WsalError(Exception):
    """An error with one clear sentence for the user.

    Args:
        message: what is wrong and the value met, lower case, without a full stop.
        hint: what would be right.
        path: the file in which it stands.
    """

    code = "internal"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", path: str | Path | None = None) -> None:
        self.message = message
        self.hint = hint
        self.path = None if path is None else str(path)
        super().__init__(message, hint, self.path)

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.message}" + (f"; {self.hint}" if self.hint else "")

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.hint, self.path))


def _rebuild(kind: type[WsalError], message: str, hint: str, path: str | None) -> WsalError:
    return kind(message, hint=hint, path=path)


class UsageError(WsalError):
    """A name, an option or a value that cannot be right."""

    code = "usage"
    exit_code = 2


class DataError(WsalError):
    """Data, a file or a folder that cannot be read or written, or is wrong inside."""

    code = "data"
    exit_code = 3


class UnreadableError(DataError):
    """A file that may be whole: reading it failed, or it is of a newer version.

    No sign of damage: whoever makes damaged files again must leave it alone.
    """


class GateError(WsalError):
    """A check that was asked for did not pass."""

    code = "gate"
    exit_code = 5


class UnavailableError(WsalError):
    """A device or an optional dependency is not there."""

    code = "unavailable"
    exit_code = 6


class NonFiniteLossError(WsalError):
    """A loss term became NaN or infinite; training stops, nothing is skipped."""

    code = "non-finite-loss"
    exit_code = 4


def first_of(names: Sequence[str], number: int = 10) -> str:
    """The first few of some names, and how many more there are."""
    more = f" and {len(names) - number} more" if len(names) > number else ""
    return ", ".join(names[:number]) + more


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like a name, in whatever case; None where none is."""
    by_lower = {one.lower(): one for one in sorted(known)}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str], *, kind: str = "there are") -> str:
    """The hint of a message about an unknown name: the nearest known one, then all of them."""
    names = sorted(known)
    close = nearest(name, names)
    listing = f"{kind}: {', '.join(names)}" if names else "there are none"
    return f"did you mean {close!r}? {listing}" if close else listing

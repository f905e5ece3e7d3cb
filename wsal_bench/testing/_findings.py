"""What the kit reports, and how a check of somebody else's code is run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from wsal_bench.plugins import blame


@dataclass(frozen=True)
class Finding:
    """One thing that a plugin does not do as it should.

    Args:
        check: the rule, in a few words.
        message: what was met.
    """

    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message}"


Check = Callable[[], Iterable[str]]


def run_checks(checks: Iterable[tuple[str, Check]]) -> list[Finding]:
    """Runs checks one after another; one that raises is a finding, not the end."""
    return [Finding(name, message) for name, check in checks for message in _messages(check)]


def _messages(check: Check) -> Iterator[str]:
    try:
        yield from check()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
        yield blame.sentence(error)

"""Lets everything go wrong on purpose, counts what survived and writes it to docs/reliability.md.

Usage: scripts/torture [--minutes 15] [--seed 0] [--only NAME] [--dry]

Each campaign is a list of trials in an order that the seed decides, and has its share of the
minutes. The exit code is 1 where a trial was lost; then the page says which.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import count as numbers_from
from itertools import islice
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.failures import hostile
from tests.failures.killable import MOMENTS, leave
from tests.failures.test_kills import exit_code_of, text_of
from tests.failures.test_power_cuts import trials_of_import, trials_of_run
from tests.running.toys import PLUGINS, numbers, request
from tests.test_locks import count, no_locks
from wsal_bench import locks
from wsal_bench.files import write_text
from wsal_bench.plugins import PLUGIN_FOLDERS
from wsal_bench.running.runner import run
from wsal_bench.running.workers import warm_up

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: made by scripts/torture -->", "<!-- end of figures -->"
OPERATIONS = 170  # on files, in the run that is killed
Trial = Callable[[], None]


@dataclass
class Tally:
    """What became of a campaign."""

    what: str
    tried: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def survived(self) -> int:
        """How many trials went well."""
        return self.tried - len(self.lost)

    def add(self, number: int, failures: Sequence[str]) -> None:
        """Counts trials, and those of them that were lost."""
        self.tried += number
        self.lost += failures


@dataclass(frozen=True)
class Place:
    """A folder of a campaign, and what an undisturbed run leaves."""

    folder: Path
    whole: dict[str, bytes]
    chance: random.Random

    def new(self) -> Path:
        """An empty folder for a trial."""
        return Path(tempfile.mkdtemp(dir=self.folder))


def kills(place: Place) -> Iterator[Trial]:
    """Killed (SIGKILL) at a stage of its work or before an operation on files, `run` goes on."""

    def trial(moment: str) -> None:
        order = request(place.new(), "child:first")
        assert exit_code_of(order, moment) in (-9, 0), moment
        run(order)
        assert numbers(order.results) == place.whole, moment
        assert not list(order.results.rglob("*.tmp")), moment

    stages = [name for name in MOMENTS if name.startswith("dies") and "workers" not in name]
    moments = [*stages, *map(str, range(OPERATIONS))]
    for moment in place.chance.sample(moments, len(moments)):
        yield lambda moment=moment: trial(moment)  # type: ignore[misc]


def power_cuts_in_runs(place: Place) -> Iterator[Trial]:
    """Power fails after an operation on files: what was not synced is gone, `run` goes on."""
    trials = trials_of_run(place.new())
    yield from place.chance.sample(trials, len(trials))


def power_cuts_in_imports(place: Place) -> Iterator[Trial]:
    """The same for `data import --replace`: the old or the new store is there at each moment."""
    trials = trials_of_import(place.new())
    yield from place.chance.sample(trials, len(trials))


def full_disks(place: Place) -> Iterator[Trial]:
    """No file grows beyond some bytes, as on a full disk: exit 3 at most, then `run` goes on."""

    def trial() -> None:
        order = request(place.new(), "child:first")
        size = int(10 ** place.chance.uniform(1, 4.5))
        assert exit_code_of(order, "nothing", size) in (0, 3), size
        run(order)
        assert numbers(order.results) == place.whole, size

    while True:
        yield trial


def moody_plugins(place: Place) -> Iterator[Trial]:
    """A method exits, crashes, hangs, hoards, prints, raises or gives NaN: only its cell fails."""

    def trial(mood: str) -> None:
        order = request(
            place.new(),
            "moody",
            "plain",
            sets=(f"moody.mood={mood}",),
            in_process=False,
            cell_timeout=4.0 if mood in ("hang", "child") else None,
            cell_memory=1 << 30 if mood == "greedy" else None,
        )
        status = {result.method: result.status for result in run(order)}
        assert status == {"moody": "ok" if mood == "talk" else "failed", "plain": "ok"}, mood

    for mood in ("raise", "die", "exit", "crash", "talk", "nan", "hang", "child", "greedy"):
        yield lambda mood=mood: trial(mood)  # type: ignore[misc]


def many_writers(place: Place) -> Iterator[Trial]:
    """Eight processes make the same cells in one results folder: all end well with equal bytes."""

    def trial() -> None:
        order = request(place.new(), "child:first")
        assert all(process == 0 for process in _at_once(8, leave, text_of(order, "nothing")))
        assert numbers(order.results) == place.whole

    while True:
        yield trial


def no_locks_at_all(place: Place) -> Iterator[Trial]:
    """A file system without locks: six processes, one of them killed, never write at once."""

    def trial() -> None:
        folder = place.new()
        (folder / "number").write_text("0")
        hold = get_context("forkserver").Process(target=_hold_for_ever, args=(folder,))
        hold.start()
        while not (folder / "held").exists():
            time.sleep(0.01)
        os.kill(hold.pid or 0, 9)
        hold.join()
        assert all(process == 0 for process in _at_once(6, count, folder, True, 5))
        assert (folder / "number").read_text() == "30"

    while True:
        yield trial


CAMPAIGNS: dict[str, tuple[Callable[[Place], Iterator[Trial]], float]] = {
    "kills": (kills, 0.2),
    "power-run": (power_cuts_in_runs, 0.2),
    "power-import": (power_cuts_in_imports, 0.05),
    "disks": (full_disks, 0.1),
    "plugins": (moody_plugins, 0.05),
    "writers": (many_writers, 0.1),
    "locks": (no_locks_at_all, 0.05),
}
"""Name -> trials, share of the time; the rest is for files that were tampered with."""


def main() -> int:
    """Runs the campaigns and writes the page; returns the exit code."""
    asked = _arguments()
    os.environ[PLUGIN_FOLDERS] = str(PLUGINS)
    began, tallies = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        warm_up()
        undisturbed = request(Path(folder) / "undisturbed", "child:first")
        run(undisturbed)
        place = Place(Path(folder), numbers(undisturbed.results), random.Random(asked.seed))
        for name, (trials, share) in CAMPAIGNS.items():
            if asked.only in (None, name):
                tallies.append(_campaign(trials, place, share * asked.minutes * 60))
        if asked.only in (None, "files"):
            tallies += _tampered(place, asked.seed, 0.25 * asked.minutes * 60)
    lines = _lines(tallies, (time.monotonic() - began) / 60, asked)
    print("\n".join(lines))
    if not asked.dry and asked.only is None:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        write_text(PAGE, before + "\n".join([BEGIN, "", *lines, "", END]) + after)
    return int(any(tally.lost for tally in tallies))


def _campaign(trials: Callable[[Place], Iterator[Trial]], place: Place, seconds: float) -> Tally:
    tally = Tally((trials.__doc__ or "").strip().rstrip("."))
    deadline = time.monotonic() + seconds
    for trial in trials(place):
        if time.monotonic() > deadline and tally.tried:
            break
        try:
            trial()
        except Exception as error:  # noqa: BLE001 - whatever it is, the trial is lost
            traceback.print_exc()
            tally.add(1, [f"{type(error).__name__}: {error}".splitlines()[0]])
        else:
            tally.add(1, [])
    print(f"{tally.survived} of {tally.tried}: {tally.what}", file=sys.stderr)
    return tally


def _tampered(place: Place, seed: int, seconds: float) -> list[Tally]:
    """Files with some bytes changed, through each reader, in a process of its own."""
    found = []
    for kind in hostile.KINDS:
        tally = Tally(f"{kind}: a good or hostile file with bytes changed is read, or one sentence")
        deadline = time.monotonic() + seconds / len(hostile.KINDS)
        first = 0
        for _ in islice(numbers_from(), 20):  # processes that died
            done = hostile.in_a_process(kind, place.new(), range(first, 10**9), seed, deadline)
            tally.add(done.tried, done.lost)
            first += done.tried
            if time.monotonic() > deadline:
                break
        print(f"{tally.survived} of {tally.tried}: {tally.what}", file=sys.stderr)
        found.append(tally)
    return found


def _at_once(number: int, target: Callable[..., None], *args: object) -> list[int | None]:
    """Exit codes of so many processes that do the same."""
    make = get_context("forkserver").Process
    processes: list[ForkServerProcess] = [make(target=target, args=args) for _ in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def _hold_for_ever(folder: Path) -> None:
    locks._try_lock = no_locks
    with locks.locked(folder):
        (folder / "held").touch()
        time.sleep(600)


def _lines(tallies: Sequence[Tally], minutes: float, asked: argparse.Namespace) -> list[str]:
    lines = [
        f"{datetime.now(timezone.utc):%Y-%m-%d}, seed {asked.seed}, {minutes:.0f} minutes.",
        "",
        "| what went wrong | tried | survived |",
        "| --- | ---: | ---: |",
        *(f"| {tally.what} | {tally.tried:,} | {tally.survived:,} |" for tally in tallies),
    ]
    lost = [f"- {tally.what}: {one}" for tally in tallies for one in tally.lost[:5]]
    return lines + (["", "Lost:", "", *lost] if lost else [])


def _arguments() -> argparse.Namespace:
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--minutes", type=float, default=15)
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--only", choices=[*CAMPAIGNS, "files"])
    reader.add_argument("--dry", action="store_true", help="leave the page as it is")
    return reader.parse_args()


if __name__ == "__main__":
    sys.exit(main())

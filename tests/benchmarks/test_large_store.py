"""Commands that read a whole store, at 5,000 made-up runs: seconds of CPU and resident memory."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.figures import tell
from tests.cli.made_up import MadeUpStore

pytestmark = [pytest.mark.measured, pytest.mark.slow]

RUNS = 5000
SECONDS = 2.0
MEGABYTES = 300


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5,000 runs of 50 rows; the first command makes the index."""
    store = MadeUpStore(tmp_path_factory.mktemp("large"))
    for number in range(RUNS):
        row, data_seed, seed = number // 100, number // 10 % 10, number % 10
        store.add(f"m{row}", (number % 97) / 97, data_seed=data_seed, seed=seed)
    spent("leaderboard", "--out", "-", results=store.path)
    return store.path


def spent(*arguments: str, results: Path) -> float:
    """Seconds of CPU time of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "wsal_bench", *arguments, "--results", str(results)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    "command", [("leaderboard", "--out", "-"), ("list", "runs"), ("show", "simulated/m3@1.2")]
)
def test_a_large_store_is_read_at_once(large: Path, command: tuple[str, ...]) -> None:
    seconds = min(spent(*command, results=large) for _ in range(3))
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of the largest
    tell(f"{' '.join(command)} at {RUNS} runs: {seconds:.2f} s of CPU, at most {megabytes:.0f} MB")
    assert seconds < SECONDS
    assert megabytes < MEGABYTES

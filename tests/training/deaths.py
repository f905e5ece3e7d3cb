"""Trainings that die: run in a process of their own."""

import os
import resource
import signal
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.training.hooks import EVERY_HOOK, make, make_videos
from wsal_bench.api import Session
from wsal_bench.errors import DataError
from wsal_bench.training import loop as training


def run_in_a_process(target: Callable[..., None], *arguments: Any) -> int | None:
    """Exit code of a function in a fresh process; -9 if SIGKILL ended it."""
    # forkserver: a clean process without this one's threads, and torch is imported once for all
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.training.deaths"])
    process = context.Process(target=target, args=arguments)
    process.start()
    process.join(120)
    return process.exitcode


def train(name: str, directory: Path) -> None:
    """Trains to the end with a checkpoint after each epoch."""
    kind = {kind.__name__: kind for kind in EVERY_HOOK}[name]
    session = Session(directory)
    training.fit(make(kind, epochs=2), make_videos(), session, checkpoint_share=float("inf"))


def die_at_file(name: str, directory: Path, number: int, moved: bool) -> None:
    """Is killed when file `number` (from 1) is about to be moved into place, or just was."""
    replace, calls = os.replace, 0

    def replace_or_die(source: Any, target: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            if moved:
                replace(source, target)
            else:
                os.truncate(source, Path(source).stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)

    os.replace = replace_or_die  # type: ignore[assignment]
    train(name, directory)


def fill_the_disk(name: str, directory: Path, largest: int) -> None:
    """Trains where no file can grow beyond `largest` bytes; exit code 3 for the right error."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    try:
        train(name, directory)
    except DataError as error:
        raise SystemExit(error.exit_code) from error

"""Runs a request given as JSON, in a process that is killed at a chosen moment.

    python killable.py '{"request": {...}, "moment": "training", "fsize": null}'

Exit codes are those of the command line.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wsal_bench import files, plugins
from wsal_bench.errors import WsalError
from wsal_bench.running import runner
from wsal_bench.running.cells import RunRequest
from wsal_bench.running.events import CellFinished, CellProgress, CellStarted, Event


def die() -> None:
    """As from a power cut: no handler, no cleaning up."""
    os.kill(os.getpid(), signal.SIGKILL)


def dies_in_training() -> None:
    """In the middle of the parent's third epoch."""
    _before_call(plugins.load("methods", "toy"), "loss", call=8)


def dies_in_child_training() -> None:
    """In the middle of the child's third epoch."""
    _before_call(plugins.load("methods", "toy"), "loss", call=6 * 3 + 8)


def dies_with_half_a_checkpoint() -> None:
    """When half of the last checkpoint has reached the disk."""
    real = os.fsync

    def fsync(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        if name.startswith(".p0-e00006"):
            os.ftruncate(handle, os.fstat(handle).st_size // 2)
            real(handle)
            die()
        real(handle)

    files.os.fsync = fsync  # type: ignore[attr-defined]


def dies_before_moving_a_checkpoint() -> None:
    """When a checkpoint is whole, but not in its place."""
    _before_moving("p0-e00006.pt")


def dies_after_the_last_weights() -> None:
    """When training is over and nothing else has begun."""
    _after_moving("last.pt")


def dies_before_the_activations() -> None:
    """When inference is over and nothing of it is stored."""
    _before_moving("activations.npz")


def dies_before_the_record() -> None:
    """When all is there but the record."""
    _before_moving("record.json")


def dies_in_inference() -> None:
    """At the parent's third test video."""
    _before_call(plugins.load("methods", "toy"), "activations", call=3)


def dies_between_parent_and_child() -> None:
    """As soon as the parent is done; see `hear`."""


def dies_with_workers() -> None:
    """When a worker has told of an epoch; see `hear`."""


def orphans_a_worker() -> None:
    """When a worker has begun its cell; see `hear`."""


def nothing() -> None:
    """Goes on to the end, unless somebody sends a signal."""


MOMENTS: dict[str, Callable[[], None]] = {
    moment.__name__: moment
    for moment in (
        dies_in_training,
        dies_in_child_training,
        dies_with_half_a_checkpoint,
        dies_before_moving_a_checkpoint,
        dies_after_the_last_weights,
        dies_in_inference,
        dies_before_the_activations,
        dies_before_the_record,
        dies_between_parent_and_child,
        dies_with_workers,
        orphans_a_worker,
        nothing,
    )
}


def hear(moment: str, event: Event) -> None:
    if isinstance(event, CellFinished) and moment == "dies_between_parent_and_child":
        die()
    if isinstance(event, CellStarted) and moment == "orphans_a_worker":
        die()
    if isinstance(event, CellProgress):
        if moment == "dies_with_workers":
            die()
        sys.stdout.write(f"{event.cell.spec.name} {event.step.epoch}\n")
        sys.stdout.flush()


def dies_before_operation(number: int) -> None:
    """Before the so-manyth operation on files."""
    left = iter(range(number))

    def watch(name: str) -> None:
        real = getattr(os, name)

        def act(*args: Any, **kwargs: Any) -> Any:
            if next(left, None) is None:
                die()
            return real(*args, **kwargs)

        setattr(os, name, act)

    for name in ("fsync", "replace", "mkdir", "unlink", "rmdir"):
        watch(name)


def _before_call(owner: Any, name: str, *, call: int) -> None:
    real, calls = getattr(owner, name), iter(range(1, 10**9))

    def counted(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == call:
            die()
        return real(*args, **kwargs)

    setattr(owner, name, counted)


def _before_moving(name: str) -> None:
    real = os.replace

    def replace(source: Any, target: Any) -> None:
        if Path(target).name == name:
            die()
        real(source, target)

    files.os.replace = replace  # type: ignore[attr-defined]


def _after_moving(name: str) -> None:
    real = os.replace

    def replace(source: Any, target: Any) -> None:
        real(source, target)
        if Path(target).name == name:
            die()

    files.os.replace = replace  # type: ignore[attr-defined]


def main(text: str) -> int:
    order = json.loads(text)
    os.environ[plugins.PLUGIN_FOLDERS] = order["plugins"]
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in order["request"].items()
    }
    request = RunRequest(**{**values, "results": Path(values["results"])})
    if order.get("fsize"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["fsize"], order["fsize"]))
    moment = order.get("moment", "nothing")
    if moment.isdecimal():
        dies_before_operation(int(moment))
    else:
        MOMENTS[moment]()
    try:
        results = runner.run(request, lambda event: hear(moment, event))
    except WsalError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 4 if any(result.status == "failed" for result in results) else 0


def leave(text: str) -> None:
    """The same for a forked process, which ends with this function; it prints nowhere.

    What the caller prints to may be a file, and a limit on the size of files would hit it first.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    sys.exit(main(text))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

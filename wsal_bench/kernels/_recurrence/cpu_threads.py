"""Work spread over threads."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import torch

PARALLEL_FROM = 500_000  # cells: below, starting threads costs more than it saves


def in_threads(compute: Callable[..., Any], count: int, cells: int, *arguments: Any) -> Any:
    """The largest result of `compute((first, last), *arguments)` on ranges that make up `count`.

    As many ranges as torch may use threads (`torch.set_num_threads`, OMP_NUM_THREADS); one if
    there are few cells. Compiled code releases the interpreter's lock, so threads do.
    """
    threads = min(count, torch.get_num_threads()) if cells >= PARALLEL_FROM else 1
    if threads == 1:
        return compute((0, count), *arguments)
    bounds = [n * count // threads for n in range(threads + 1)]
    results = [0] * threads

    def work(part: int) -> None:
        results[part] = compute((bounds[part], bounds[part + 1]), *arguments) or 0

    others = [Thread(target=work, args=(part,)) for part in range(1, threads)]
    for thread in others:
        thread.start()
    work(0)
    for thread in others:
        thread.join()
    return max(results)

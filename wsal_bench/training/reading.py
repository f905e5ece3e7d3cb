"""Features on their way from disk to a training step: memory used again, reading ahead.

The rule of the memory: a batch owns its numbers for as long as anything refers to them, be it a
view, a graph or a list of batches. Only when the last reference is gone is the memory used for
another batch. So nothing that is still in use can be overwritten, whoever keeps it. (A copy to a
device that does not wait has left pageable memory, as this is, when the call returns.)
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from math import prod
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from wsal_bench.data.features import FeatureFile
from wsal_bench.data.packed import PackedFeatures
from wsal_bench.types import Batch, IntArray, SnippetArray

BatchT = TypeVar("BatchT", bound=Batch)

_BLOCK = 2**18  # numbers converted at once: what was read last is still in the cache


class Buffers:
    """Memory for the features of batches, given back by the garbage collector.

    Args:
        kept: free pieces that are kept. Where a step holds one batch while the next is made, two
            pieces take turns; each batch that is read ahead needs one more.
    """

    def __init__(self, kept: int = 2) -> None:
        # appending and popping need no lock, which a finaliser must not wait for
        self._free: deque[NDArray[np.float32]] = deque(maxlen=kept)

    def take(self, *shape: int) -> NDArray[np.float32]:
        """An array of a shape, with any numbers in it, that nobody else refers to.

        Views made of it by numpy do not keep it; a tensor over it and all views of that do.
        """
        size = prod(shape)
        memory = self._piece(size)
        array = memory[:size].reshape(shape)
        weakref.finalize(array, self._free.append, memory).atexit = False
        return array

    def _piece(self, size: int) -> NDArray[np.float32]:
        while self._free:
            try:
                memory = self._free.pop()
            except IndexError:  # another thread was quicker
                break
            if memory.size >= size:
                return memory
        made: NDArray[np.float32] = torch.empty(size).numpy()  # aligned for vector instructions
        return made


Draft = Callable[[Buffers], BatchT]
"""A batch of which everything is drawn and nothing is read yet; call it to read it."""


def read_rows(features: SnippetArray, positions: IntArray, out: NDArray[np.float32]) -> None:
    """Copies some snippets of a video into memory that is there already, as float32.

    Rows of arrays and mapped files go straight there, those of any other reader through indexing.

    Args:
        features: [T, D, ...].
        positions: [N] of the snippets, in 0..T-1.
        out: [N, D, ...], contiguous; is overwritten.

    Raises:
        IndexError: a position that the video does not have.
    """
    num = int(features.shape[0])
    if len(positions) and not 0 <= positions.min() <= positions.max() < num:
        raise IndexError(
            f"snippets {positions.min()} to {positions.max()} asked of a video of {num}"
        )
    rows = _rows(features)
    if rows is None or not rows.flags.c_contiguous or not rows.dtype.isnative:
        out[:] = features[positions]
    elif rows.dtype == np.float32:
        # positions are checked: "clip" is the mode that writes without a buffer between
        np.take(rows, positions, axis=0, out=out, mode="clip")
    elif rows.dtype == np.float16:
        _from_half(rows, positions, out)
    else:
        out[:] = rows[positions]


def _rows(features: SnippetArray) -> NDArray[Any] | None:
    """All rows, not copied; None where only the reader can say what they are."""
    if isinstance(features, np.ndarray):
        return np.asarray(features)
    if isinstance(features, PackedFeatures):
        return features.view()
    if isinstance(features, FeatureFile):
        return features.mapped()
    return None


def _from_half(rows: NDArray[Any], positions: IntArray, out: NDArray[np.float32]) -> None:
    """Torch converts float16 six times faster than numpy, but takes no read-only memory."""
    step = max(_BLOCK // prod(rows.shape[1:]), 1)
    block = np.empty((min(step, len(positions)), *rows.shape[1:]), np.float16)
    for first in range(0, len(positions), step):
        chosen = positions[first : first + step]
        half = block[: len(chosen)]
        np.take(rows, chosen, axis=0, out=half, mode="clip")
        torch.from_numpy(out[first : first + step]).copy_(torch.from_numpy(half))


def read_ahead(
    drafts: Iterator[Draft[BatchT]], buffers: Buffers, workers: int = 0
) -> Iterator[BatchT]:
    """Reads drafts in their order; the same batches whatever the number of workers.

    Drafts are drawn here, in the caller's thread, so generators move as without workers. Only the
    reading of features goes to threads.

    Args:
        drafts: of an epoch.
        buffers: where features go.
        workers: threads, and batches that are read while the caller works on one; 0: none.

    Raises:
        Exception: whatever reading a batch raised, when that batch is due.
    """
    if workers < 1:
        for draft in drafts:
            yield draft(buffers)
        return
    waiting: deque[Future[BatchT]] = deque()
    with ThreadPoolExecutor(workers, "wsal-bench-reading") as pool:

        def submit(count: int) -> None:
            for draft in islice(drafts, count):
                waiting.append(pool.submit(draft, buffers))

        try:
            submit(workers)
            while waiting:
                due = waiting.popleft()
                wait((due,))
                submit(1)
                yield due.result()
                del due  # or its memory would be in use while the next batch is waited for
        finally:
            for future in waiting:  # at most those that are being read now are waited for
                future.cancel()

"""Reads the videos of a source, several at once, and checks each; order is that of the lists."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsal_bench.data.packed import ChangedError, checksum
from wsal_bench.data.problems import Problem, Wanted, feature_problems, last_ends
from wsal_bench.data.source import Source, SourceVideo
from wsal_bench.errors import WsalError

Report = Callable[[int, int], None]
"""(videos done, videos in all)."""


@dataclass(frozen=True)
class Rows:
    """One checked video: its rows as bytes of the store, or what is wrong."""

    video: SourceVideo
    rows: NDArray[Any]
    problems: tuple[Problem, ...] = ()
    shape: tuple[int, ...] = ()  # as it lies in the source
    sha256: str = ""
    crc32: str = ""


class Reader:
    """Readers in threads; what is found comes in the order in which it was asked for.

    Args:
        source: what is read.
        wanted: what features must be; what it leaves open the first good video decides.
        jobs: videos that are read at once.
        overlong: videos whose segments may end after the features do.

    Attributes:
        problems: of all videos that were read so far.
        wanted: what is known by now.
    """

    def __init__(
        self,
        source: Source,
        wanted: Wanted,
        jobs: int,
        overlong: frozenset[str] = frozenset(),
    ) -> None:
        self.wanted = wanted
        self.jobs = jobs
        self.ends = last_ends(
            truth for truths in source.truths.values() for truth in truths.values()
        )
        for video in overlong:
            self.ends.pop(video, None)
        self.problems: list[Problem] = []
        self._guessing = wanted.width is None
        self._widths: dict[str, tuple[int, Problem]] = {}

    def verdict(self) -> list[Problem]:
        """All problems; where the first video's width is not the usual one, it is to blame.

        Widths are compared with that of the first good video while they are read. Where most
        videos turn out to have another one, those of the first's width are the odd ones.
        """
        if not (self._guessing and self._widths):
            return self.problems
        counts = Counter(width for width, _ in self._widths.values())
        usual, number = counts.most_common(1)[0]
        if usual == self.wanted.width or number <= counts[self.wanted.width or 0]:
            return self.problems
        others = [problem for problem in self.problems if problem.code != "width"]
        odd = [
            replace(
                problem, message=f"features have {width} columns, {number} other videos {usual}"
            )
            for width, problem in self._widths.values()
            if width != usual
        ]
        return [*others, *odd]

    def adopt(self, dtype: str, width: int) -> None:
        """Takes over what an earlier reading found out."""
        self.wanted = replace(self.wanted, dtype=dtype, width=width)

    def too_short(self, video: SourceVideo, length: int) -> bool:
        """Whether so many snippets end before the video's last segment does."""
        return self.wanted.too_short(length, self.ends.get(video.video_id, 0.0))

    def checked(self, videos: Sequence[SourceVideo]) -> Iterator[Rows]:
        """Checked videos in the list's order; a few are read ahead."""
        waiting = deque(videos)
        # the first decides what the others must be
        while waiting and (self.wanted.width is None or self.wanted.dtype is None):
            found = self._one(waiting.popleft())
            self._note(found)
            yield found
        running: deque[Future[Rows]] = deque()
        with ThreadPoolExecutor(max(1, self.jobs)) as pool:
            try:
                while waiting or running:
                    while waiting and len(running) < 2 * self.jobs:
                        running.append(pool.submit(self._one, waiting.popleft()))
                    found = running.popleft().result()
                    self._note(found)
                    yield found
            finally:
                for future in running:
                    future.cancel()

    def _note(self, found: Rows) -> None:
        self.problems += found.problems
        if len(found.shape) == 2:
            video = found.video
            place = Problem("width", "", video.video_id, str(video.origin))
            self._widths[f"{video.split}/{video.video_id}"] = (found.shape[1], place)

    def _one(self, video: SourceVideo) -> Rows:
        nothing = np.empty((0, 0), np.float32)
        try:
            features = video.read()
        except WsalError as error:
            code = "checksum" if isinstance(error, ChangedError) else "unreadable"
            bad = Problem.of(error, code, video.video_id)
            return Rows(video, nothing, (bad,))
        shape = features.shape
        end = self.ends.get(video.video_id, 0.0)
        found = feature_problems(features, self.wanted, end, video.video_id, video.origin)
        if found:
            return Rows(video, nothing, tuple(found), shape)
        if self.wanted.width is None or self.wanted.dtype is None:
            dtype = self.wanted.dtype or features.dtype.name
            self.wanted = replace(self.wanted, dtype=dtype, width=features.shape[1])
        with np.errstate(over="ignore"):  # said below, with the number
            rows = np.ascontiguousarray(features, dtype=self.wanted.dtype)
        if not np.isfinite(rows).all():
            bad = Problem(
                "not-finite",
                f"features reach {float(np.abs(features).max()):g}, more than float16 holds; "
                "--dtype float32 keeps them",
                video.video_id,
                str(video.origin),
            )
            return Rows(video, nothing, (bad,), shape)
        sums = {kind: checksum(rows.data, kind) for kind in ("sha256", "crc32")}
        return Rows(video, rows, (), shape, **sums)

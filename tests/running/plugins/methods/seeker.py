"""Searches its process for the truth, and writes down what it found; learns nothing."""

# mypy: ignore-errors
# it inherits from a plugin of this folder, which only a run adds to the path

import gc
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

import numpy as np

from wsal_bench.api import Dataset, GroundTruth, Session
from wsal_bench.config import Config as BaseConfig
from wsal_bench.types import Activations, Video, WeakVideo
from wsal_methods import plain


class Config(BaseConfig):
    """What it looks for, in disguise: or it would find its own options."""

    negatives: tuple[float, ...] = ()  # times -1: true boundaries
    backwards: str = "nothing"  # the place of the truth, from its end


class Method(plain.Method):
    """A thief."""

    Config = Config
    groups = ()

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        found = sorted({*self._things(), *self._surroundings()})
        (session.directory / "found.json").write_text(json.dumps(found))

    def activations(self, video: Video) -> Activations:
        cas = np.asarray(video.features, dtype=np.float32)[:, : self.task.num_classes]
        times = video.grid.edges(video.num_snippets)
        return Activations({"cas": cas}, {}, cas.max(axis=0), times)

    def _things(self) -> Iterator[str]:
        seen: set[int] = set()
        for holder in gc.get_objects():
            for thing in (holder, *gc.get_referents(holder)):
                if id(thing) not in seen:
                    seen.add(id(thing))
                    yield from self._about(thing)

    def _about(self, thing: object) -> Iterator[str]:
        kind = type(thing)
        if issubclass(kind, (GroundTruth, Dataset)):
            yield kind.__name__
        elif kind is str or issubclass(kind, PurePath):
            if self.config.backwards in str(thing)[::-1]:
                yield "place of the truth"
        elif kind is bytes:
            if self.config.backwards.encode() in thing[::-1]:
                yield "place of the truth"
        elif kind is float:
            if -thing in self.config.negatives:
                yield "a boundary"
        elif kind is np.ndarray and thing.dtype.kind == "f" and self._holds_boundary(thing):
            yield "a boundary"

    def _holds_boundary(self, numbers: np.ndarray) -> bool:
        return bool(np.isin(-np.asarray(numbers, dtype=float), self.config.negatives).any())

    def _surroundings(self) -> Iterator[str]:
        texts = [*sys.argv, *sys.orig_argv, *os.environ.values()]
        texts += [Path(f"/proc/self/{name}").read_text() for name in ("cmdline", "environ")]
        for handle in Path("/proc/self/fd").iterdir():
            try:
                texts.append(str(handle.readlink()))
            except FileNotFoundError:  # the one that lists the others
                continue
        if any(self.config.backwards in text[::-1] for text in texts):
            yield "place of the truth"
        if "WSAL_BENCH_DATA" in os.environ:
            yield "place of all data"

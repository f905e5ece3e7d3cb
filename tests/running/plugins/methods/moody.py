"""Fails in the way that it is told."""

# mypy: ignore-errors
# it inherits from a plugin of this folder, which only a run adds to the path

import faulthandler
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from wsal_bench.api import Session
from wsal_bench.errors import UsageError
from wsal_bench.training.hooks import Progress
from wsal_bench.types import Batch, WeakVideo
from wsal_methods import toy


class Config(toy.Config):
    """What goes wrong."""

    mood: str = "raise"


class Method(toy.Method):
    """A toy that breaks."""

    Config = Config
    groups = ()

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        if self.config.mood == "raise":
            raise ZeroDivisionError("moody today")
        if self.config.mood == "die":
            os._exit(7)
        if self.config.mood == "exit":
            sys.exit("that was it")
        if self.config.mood == "crash":
            faulthandler._sigsegv()
        if self.config.mood == "hang":  # deaf, and no other thread of it runs
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            re.match(r"(a+)+$", "a" * 60 + "b")
        if self.config.mood == "child":
            subprocess.run(["sleep", "1000"], check=False)
        if self.config.mood == "greedy":
            held = [np.ones(1 << 22) for _ in range(320)]  # 10 GiB, bit by bit
            raise MemoryError(len(held))
        if self.config.mood == "talk":
            sys.stdout.write("talks on stdout\n")
            sys.stdout.flush()
        if self.config.mood == "usage":
            raise UsageError("moody cannot learn from these videos")
        super().fit(videos, session)

    def loss(self, outputs: Tensor, batch: Batch, progress: Progress) -> dict[str, Tensor]:
        terms = super().loss(outputs, batch, progress)
        if self.config.mood == "nan" and progress.epoch == 2:
            return {"video": terms["video"] * float("nan")}
        return terms

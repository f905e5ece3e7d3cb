"""Looks for the truth while it should learn, or while it should infer."""

# mypy: ignore-errors
# it inherits from a plugin of this folder, which only a run adds to the path

from collections.abc import Sequence

from wsal_bench.api import Session
from wsal_bench.config import Config as BaseConfig
from wsal_bench.types import Activations, Video, WeakVideo
from wsal_datasets import tiny
from wsal_methods import plain


class Config(BaseConfig):
    """When it looks."""

    scale: float = 1.0
    when: str = "fit"


class Method(plain.Method):
    """A cheat."""

    Config = Config
    groups = ()

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        if self.config.when == "fit":
            self._look()

    def activations(self, video: Video) -> Activations:
        self._look()
        return super().activations(video)

    def _look(self) -> None:
        tiny.Dataset(tiny.Options()).ground_truth("test")

"""The first two columns of the features are the scores; without gradients or checkpoints."""

from collections.abc import Sequence

import numpy as np

from wsal_bench.api import Method as Base
from wsal_bench.api import Session
from wsal_bench.config import Config as BaseConfig
from wsal_bench.localization.recipe import COMMON, ProposalRecipe
from wsal_bench.types import Activations, Video, WeakVideo


class Method(Base):
    """Learns how loud a class is."""

    class Config(BaseConfig):
        """A factor."""

        scale: float = 1.0

    groups = ("toys",)

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        if not any(video.labels.any() for video in videos):
            raise ValueError("there is nothing to learn")

    def activations(self, video: Video) -> Activations:
        if isinstance(video, WeakVideo):
            raise TypeError("labels have reached inference")
        cas = np.asarray(video.features)[:, :2] * self.config.scale
        return Activations(
            scores={"cas": cas},
            gates={},
            video_scores=cas.max(axis=0),
            times=video.grid.edges(video.num_snippets),
        )

    @property
    def recipe(self) -> ProposalRecipe:
        return COMMON

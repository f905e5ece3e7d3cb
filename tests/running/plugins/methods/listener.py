"""Learns nothing; repeats what its parents said of all videos."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from wsal_bench.api import Artifact, Session
from wsal_bench.api import Method as Base
from wsal_bench.localization.recipe import COMMON, ProposalRecipe
from wsal_bench.types import Activations, Video, WeakVideo


class Method(Base):
    """Says what `plain` said, in training and in testing."""

    needs: ClassVar[Mapping[str, Artifact]] = {
        "said": Artifact("plain", kind="activations"),
        "cut": Artifact("plain", kind="proposals", splits=("train",)),
    }

    def fit(self, videos: Sequence[WeakVideo], session: Session) -> None:
        said, cut = self.parents["said"].activations, self.parents["cut"].proposals
        for video in videos:
            if video.video_id not in said or not len(cut[video.video_id]):
                raise LookupError(f"the parents said nothing of {video.video_id}")

    def activations(self, video: Video) -> Activations:
        return self.parents["said"].activations[video.video_id]

    @property
    def recipe(self) -> ProposalRecipe:
        return COMMON

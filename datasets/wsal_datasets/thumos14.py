"""THUMOS14: sports in untrimmed videos, 20 classes; import features first, see docs/data.md.

200 videos to learn from (the validation videos with a segment) and 210 or 212 to be tested on.
Features are not included: they are published by the authors of ACM-Net, BaS-Net and W-TALC, as
two-stream I3D, 1024 columns of rgb and 1024 of flow, one row for each 16 frames at 25 frames a
second. The three are different extractions: numbers of one do not carry over to another.
"""

from __future__ import annotations

from typing import Literal

from wsal_bench import api
from wsal_bench.api import Card, StoredConfig, StoredDataset, TruthFile

MIS_ANNOTATED = frozenset({"video_test_0000270", "video_test_0001496"})


class Thumos14Config(StoredConfig):
    """Which test videos there are and where labels come from."""

    # 210: without the two mis-annotated videos 270 and 1496, as most papers; 212: with them,
    # where there are features of them
    split: Literal["210", "212"] = "210"


class Dataset(StoredDataset):
    """THUMOS14, 20 classes, 200 + 210 videos, from features that were imported (docs/data.md)."""

    Config = Thumos14Config
    version = "1"
    store_name = "thumos14"
    protocols = (
        "thumos14/acmnet-2021",
        "thumos14/actionformer-2022",
        "thumos14/basnet-2020",
        "thumos14/co2-2021",
        "thumos14/detad",
        "thumos14/fac-2021",
        "thumos14/ftcl-2022",
        "thumos14/mmaction2",
        "thumos14/official",
        "thumos14/opentad",
        "thumos14/pmil-2023",
        "thumos14/um-2021",
        "thumos14/wtalc-2018",
    )
    scores_missing = True
    card = (
        "I3D features come from a network that was trained on trimmed videos of Kinetics with "
        "class labels; no boundary of THUMOS14 was used. Quirks of the published files: durations "
        "in the 412-video truth are frames / 30 and wrong for 26 videos; it holds two test videos, "
        "270 and 1496, whose annotation is wrong, and the test list of 210 does not; segments of "
        "five videos end long after the video; every CliffDiving instance is a Diving instance "
        "too; 89 stretches of training and more of test videos are marked ambiguous and count in "
        "some protocols only; segment values of the 410-video truth are text. Labels from "
        "metadata differ from those of the segments for some training videos: label_source says "
        "which were used, and they are different tracks."
    )
    config: Thumos14Config

    facts = Card(
        class_names=(
            "BaseballPitch",
            "BasketballDunk",
            "Billiards",
            "CleanAndJerk",
            "CliffDiving",
            "CricketBowling",
            "CricketShot",
            "Diving",
            "FrisbeeCatch",
            "GolfSwing",
            "HammerThrow",
            "HighJump",
            "JavelinThrow",
            "LongJump",
            "PoleVault",
            "Shotput",
            "SoccerPenalty",
            "TennisSwing",
            "ThrowDiscus",
            "VolleyballSpiking",
        ),
        fps=25.0,
        stride=16.0,
        subsets={"train": ("train", "validation", "training"), "test": ("test",)},
        videos={"train": (200,), "test": (210, 212)},
        truth_files=(
            TruthFile(
                "gt410",
                "09ec867173d8532cd805769497633617f8a95519491c5558edd29a50731116a2",
                "default",
                "200 + 210 videos of BaS-Net; numbers as text, no durations",
            ),
            TruthFile(
                "gt412",
                "e5855d11a6208739f2cb830a2fe4bc1f46c869f7006de808ebf2f6772fc5de39",
                "default",
                "200 + 212 videos of ACM-Net and FTCL; durations are frames / 30",
            ),
        ),
        streams={"rgb": (0, 1024), "flow": (1024, 2048)},
        overhang=2.0,
        overlong=frozenset(
            {
                "video_test_0000270",
                "video_test_0000814",
                "video_test_0001081",
                "video_validation_0000364",
                "video_validation_0000856",
            }
        ),
        sources=(
            "features and truth: https://github.com/ispc-lab/ACM-Net (layout acm, also FTCL's)",
            "features and truth: https://github.com/Pilhyeon/BaSNet-pytorch (layout basnet)",
            "features and truth: https://github.com/sujoyp/wtalc-pytorch (layout wtalc)",
        ),
        quirks=(
            "durations of gt412 are frames / 30 and differ from the videos' for 26 videos",
            "test videos 270 and 1496 are mis-annotated; the list of 210 leaves them out",
            "segments of five videos end long after the video",
            "every CliffDiving instance is annotated as Diving too",
        ),
    )

    @property
    def track(self) -> api.Track:
        """Label source and test list."""
        return api.Track(label_source=self.config.label_source, split_variant=self.config.split)

    def keeps(self, split: api.Split, video_id: str) -> bool:
        """All but the two mis-annotated videos, unless they are asked for."""
        return self.config.split == "212" or video_id not in MIS_ANNOTATED

"""ActivityNet 1.2: 100 classes of everyday activities; import features first, see docs/data.md.

4,819 videos to learn from and 2,383 validation videos to be tested on; those that are no longer
on YouTube have no features anywhere. Class names are those of the truth file.
"""

from __future__ import annotations

from wsal_bench.data.card import Card
from wsal_bench.data.stored import StoredDataset


class Dataset(StoredDataset):
    """ActivityNet 1.2, 100 classes, from features that were imported (docs/data.md)."""

    version = "1"
    store_name = "activitynet12"
    protocols = ("activitynet12/official", "activitynet12/co2-2021")
    scores_missing = True
    card = (
        "Which videos have features depends on when they were downloaded; a true segment in a "
        "video without features counts as a miss, so compare only numbers on the same videos "
        "(`wsal-bench data stats` counts them). Features were published in two forms: one row for "
        "each 16 frames at 25 frames a second, and rescaled to a fixed number of rows; only the "
        "first is meant here, for the second give --fps and --stride that fit. Most videos hold "
        "one long segment: predicting the whole video is a strong floor."
    )

    facts = Card(
        class_names=(),
        num_classes=100,
        fps=25.0,
        stride=16.0,
        subsets={"train": ("training", "train"), "test": ("validation", "val", "test")},
        videos={"train": (4819,), "test": (2383,)},
        overhang=5.0,
        sources=(
            "truth: http://activity-net.org (activity_net.v1-2.min.json)",
            "features: as linked by W-TALC and CO2-Net (1.2) and ASM-Loc (1.3)",
        ),
        quirks=(
            "about a tenth of the videos is no longer on YouTube",
            "some features of the published 1.2 file are empty or very short",
        ),
    )

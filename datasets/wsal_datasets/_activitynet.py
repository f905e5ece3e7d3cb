"""What both releases of ActivityNet have in common."""

from __future__ import annotations

from wsal_bench.api import Card, StoredDataset


class ActivityNet(StoredDataset):
    """Everyday activities; a subclass names its store, protocols and facts."""

    scores_missing = True
    card = (
        "Which videos have features depends on when they were downloaded; a true segment in a "
        "video without features counts as a miss, so compare only numbers on the same videos "
        "(`wsal-bench data stats` counts them). Features were published in two forms: one row for "
        "each 16 frames at 25 frames a second, and rescaled to a fixed number of rows; only the "
        "first is meant here, for the second give --fps and --stride that fit. Most videos hold "
        "one long segment: predicting the whole video is a strong floor."
    )


def facts_of(truth: str, num_classes: int, train: int, test: int) -> Card:
    """What is published about a release.

    Args:
        truth: name of its truth file.
        num_classes: how many classes it has.
        train: training videos of the published list.
        test: validation videos of the published list, which are tested on.
    """
    return Card(
        class_names=(),
        num_classes=num_classes,
        fps=25.0,
        stride=16.0,
        subsets={"train": ("training", "train"), "test": ("validation", "val", "test")},
        videos={"train": (train,), "test": (test,)},
        overhang=5.0,
        sources=(
            f"truth: http://activity-net.org ({truth})",
            "features: as linked by W-TALC and CO2-Net (1.2) and ASM-Loc (1.3)",
        ),
        quirks=(
            "about a tenth of the videos is no longer on YouTube",
            "some features of the published 1.2 file are empty or very short",
        ),
    )

"""ActivityNet 1.2: 100 classes of everyday activities; import features first, see docs/data.md.

4,819 videos to learn from and 2,383 validation videos to be tested on; those that are no longer
on YouTube have no features anywhere. Class names are those of the truth file.
"""

from __future__ import annotations

from wsal_datasets._activitynet import ActivityNet, facts_of


class Dataset(ActivityNet):
    """ActivityNet 1.2, 100 classes, from features that were imported (docs/data.md)."""

    version = "1"
    store_name = "activitynet12"
    protocols = ("activitynet12/official", "activitynet12/co2-2021")
    facts = facts_of("activity_net.v1-2.min.json", num_classes=100, train=4819, test=2383)

"""ActivityNet 1.3: 200 classes of everyday activities; import features first, see docs/data.md.

10,024 videos to learn from and 4,926 validation videos to be tested on; those that are no longer
on YouTube have no features anywhere. Class names are those of the truth file.
"""

from __future__ import annotations

from wsal_datasets._activitynet import ActivityNet, facts_of


class Dataset(ActivityNet):
    """ActivityNet 1.3, 200 classes, from features that were imported (docs/data.md)."""

    version = "1"
    store_name = "activitynet13"
    protocols = ("activitynet13/official", "activitynet13/co2-2021")
    facts = facts_of("activity_net.v1-3.min.json", num_classes=200, train=10024, test=4926)

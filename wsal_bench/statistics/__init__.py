"""How sure a number is: spread over seeds, and over the videos that happened to be tested.

- `seeds`: nested means and spreads, and an exact paired test over seeds.
- `effects`: what each group of test videos does to a headline (the jackknife, exact for mAP).
- `errors`: standard errors and degrees of freedom, groups of videos and seeds crossed.
- `intervals`, `simultaneous`: intervals, and the level at which all of a table hold at once.
- `bootstrap`: paired differences by resampling groups of test videos.
- `comparison`: all of it for the rows of a table.
- `power`: what a design can find.
"""

from wsal_bench.statistics.bootstrap import Pairing, nested_bootstrap, paired_bootstrap
from wsal_bench.statistics.comparison import (
    Comparison,
    RowStatistics,
    SamplingError,
    compare_rows,
    samples_of,
)
from wsal_bench.statistics.intervals import Interval
from wsal_bench.statistics.power import Plan, Power, Variances, power_of, variances_of
from wsal_bench.statistics.seeds import NestedMean, SignFlip, nested_mean_std, sign_flip_test

__all__ = [
    "Comparison",
    "Interval",
    "NestedMean",
    "Pairing",
    "Plan",
    "Power",
    "RowStatistics",
    "SamplingError",
    "SignFlip",
    "Variances",
    "compare_rows",
    "nested_bootstrap",
    "nested_mean_std",
    "paired_bootstrap",
    "power_of",
    "samples_of",
    "sign_flip_test",
    "variances_of",
]

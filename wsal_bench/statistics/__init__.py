"""How sure a number is: spread over seeds, and over the videos that happened to be tested.

- `seeds`: nested means, a paired test over seeds, Holm's correction.
- `bootstrap`: standard errors and paired differences by resampling groups of test videos.
- `comparison`: both for the rows of a table.
"""

from wsal_bench.statistics.bootstrap import (
    Interval,
    Pairing,
    SamplingError,
    nested_bootstrap,
    paired_bootstrap,
    sampling_error,
)
from wsal_bench.statistics.comparison import Comparison, RowStatistics, compare_rows
from wsal_bench.statistics.seeds import (
    NestedMean,
    SignFlip,
    holm,
    nested_mean_std,
    sign_flip_test,
)

__all__ = [
    "Comparison",
    "Interval",
    "NestedMean",
    "Pairing",
    "RowStatistics",
    "SamplingError",
    "SignFlip",
    "compare_rows",
    "holm",
    "nested_bootstrap",
    "nested_mean_std",
    "paired_bootstrap",
    "sampling_error",
    "sign_flip_test",
]

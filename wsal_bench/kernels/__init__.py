"""Alignment kernels: functions of tensors that score how well two sequences match.

Each kernel is a folder. Its `__init__.py` holds the public function (recurrence, source, shapes,
gradient, checks) and `BACKENDS`; `reference.py` is the definition, in plain loops; every other
file is one faster way to the same value and gradient. What they share is in `_recurrence`.
The kernels know nothing of the rest of the suite and can be used without it.
"""

from wsal_bench.kernels.cosine import cosine_similarity
from wsal_bench.kernels.fsd import fsd_score
from wsal_bench.kernels.lcs import lcs_score

__all__ = ["cosine_similarity", "fsd_score", "lcs_score"]

"""Alignment kernels: functions of tensors that score how well two sequences match.

    scores of batches of grids [B, N, M]: `fsd_score`, `lcs_score`, `soft_dtw`,
        `needleman_wunsch`, `smith_waterman`; of features: `soft_dtw_divergence`
    grids: `cosine_similarity`
    what is behind a score: `alignment` (the expected alignment), `path` (the best one)

Each kernel is a folder that holds its public function (recurrence, source, shapes, gradient,
errors) and says by `Rules` what tells it from the others; one recurrence in `_recurrence` serves
them all, on interchangeable backends:

    reference    plain loops, the definition; any device
    torch        all cells of an anti-diagonal at once; any device
    cpu          compiled, one SIMD lane per pair; CPU
    cuda         Triton; CUDA; only where it is asked for, as it has never run on a device
    auto         `cpu` for float32 and float64 on a CPU, else `torch`

The kernels know nothing of the rest of the suite and can be used without it.
"""

from wsal_bench.kernels._behind import Alignment, Path, alignment, path
from wsal_bench.kernels._recurrence.backends import BACKENDS
from wsal_bench.kernels.cosine import cosine_similarity
from wsal_bench.kernels.dtw import soft_dtw
from wsal_bench.kernels.dtw.divergence import soft_dtw_divergence
from wsal_bench.kernels.fsd import fsd_score
from wsal_bench.kernels.global_alignment import needleman_wunsch
from wsal_bench.kernels.lcs import lcs_score
from wsal_bench.kernels.local_alignment import smith_waterman

__all__ = [
    "BACKENDS",
    "Alignment",
    "Path",
    "alignment",
    "cosine_similarity",
    "fsd_score",
    "lcs_score",
    "needleman_wunsch",
    "path",
    "smith_waterman",
    "soft_dtw",
    "soft_dtw_divergence",
]

"""The values that travel between the rooms: frozen, columnar, checked when they are made.

B videos of a batch, T snippets, D feature size, C classes, P proposals, M true segments.
Imports no torch: tensors appear in annotations only.
"""

from wsal_bench.types.activations import Activations
from wsal_bench.types.arrays import FloatArray, IntArray
from wsal_bench.types.batch import Batch, PairBatch
from wsal_bench.types.detections import Detections
from wsal_bench.types.proposals import Proposals
from wsal_bench.types.truth import GroundTruth
from wsal_bench.types.video import SnippetArray, Video, WeakVideo

__all__ = [
    "Activations",
    "Batch",
    "Detections",
    "FloatArray",
    "GroundTruth",
    "IntArray",
    "PairBatch",
    "Proposals",
    "SnippetArray",
    "Video",
    "WeakVideo",
]

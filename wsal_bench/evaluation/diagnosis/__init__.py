"""Where a method's errors come from: after DETAD (ECCV 2018), from what was matched.

`diagnose` makes all of it from one evaluation; the parts stand in files of their own.
"""

from wsal_bench.evaluation.diagnosis.case import obstacle
from wsal_bench.evaluation.diagnosis.classification import video_classification
from wsal_bench.evaluation.diagnosis.diagnosis import SCHEMA, Diagnosis, Options, diagnose
from wsal_bench.evaluation.diagnosis.recall import average_recall
from wsal_bench.evaluation.diagnosis.snippets import snippet_precision

__all__ = [
    "SCHEMA",
    "Diagnosis",
    "Options",
    "average_recall",
    "diagnose",
    "obstacle",
    "snippet_precision",
    "video_classification",
]

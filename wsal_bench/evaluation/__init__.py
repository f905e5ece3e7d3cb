"""Detections and truth become scores under a named protocol; numpy only."""

from wsal_bench.evaluation.protocols import Protocol, common, names, protocol, with_tious
from wsal_bench.evaluation.scores import Counts, Matches, Scores, Support
from wsal_bench.evaluation.scoring import evaluate

__all__ = [
    "Counts",
    "Matches",
    "Protocol",
    "Scores",
    "Support",
    "common",
    "evaluate",
    "names",
    "protocol",
    "with_tious",
]

"""Everything that the author of a plugin imports, or a notebook; the rooms behind it may move.

Importing this module imports no torch: what needs torch, and what few need, is imported when it is
first asked for. Building blocks of networks stand in `wsal_bench.nn`, alignment in
`wsal_bench.kernels`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wsal_bench.config import Config
from wsal_bench.errors import DataError, UsageError, WsalError
from wsal_bench.localization import ProposalRecipe, localize
from wsal_bench.localization.recipe import COMMON, recipe
from wsal_bench.plugins.contract import (
    SPLITS,
    Artifact,
    Dataset,
    Method,
    Parent,
    Session,
    Split,
    Step,
    Task,
    Track,
)
from wsal_bench.plugins.truth_lock import TruthLockedError, truth_locked
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import (
    Activations,
    Batch,
    Detections,
    GroundTruth,
    PairBatch,
    Proposals,
    SnippetArray,
    Video,
    WeakVideo,
)

if TYPE_CHECKING:
    from wsal_bench.data.card import Card, TruthFile
    from wsal_bench.data.stored import StoredConfig, StoredDataset
    from wsal_bench.evaluation import Protocol, Scores, evaluate, protocol
    from wsal_bench.evaluation.formats import (
        detections_from_json,
        detections_to_json,
        truth_from_json,
        truth_to_json,
    )
    from wsal_bench.training.hooks import Phase, Progress, TrainableConfig, as_array
    from wsal_bench.training.positions import (
        all_indices,
        crop_indices,
        jitter_indices,
        random_indices,
        uniform_indices,
    )
    from wsal_bench.training.sampling import (
        Epoch,
        PairPolicy,
        collate,
        pair_batches,
        shuffled_batches,
    )
    from wsal_bench.training.similar import SimilarPolicy, similar_batches
    from wsal_bench.training.stepping import cosine_decay, epochs_of, ramp
    from wsal_bench.training.trainable import TrainableMethod

__all__ = [
    "COMMON", "SPLITS", "Activations", "Artifact", "Batch", "Card", "Config", "DataError",
    "Dataset", "Detections", "Epoch", "GroundTruth", "Method", "PairBatch", "PairPolicy", "Parent",
    "Phase", "Progress", "ProposalRecipe", "Proposals", "Protocol", "Scores", "Session",
    "SimilarPolicy", "SnippetArray", "Split", "Step", "StoredConfig", "StoredDataset", "Task",
    "TimeGrid", "Track", "TrainableConfig", "TrainableMethod", "TruthFile", "TruthLockedError",
    "UsageError", "Video", "WeakVideo", "WsalError", "all_indices", "as_array", "collate",
    "cosine_decay", "crop_indices", "detections_from_json", "detections_to_json", "epochs_of",
    "evaluate", "jitter_indices", "localize", "pair_batches", "protocol", "ramp", "random_indices",
    "recipe", "shuffled_batches", "similar_batches", "truth_from_json", "truth_locked",
    "truth_to_json", "uniform_indices",
]  # fmt: skip

_LAZY = {
    "data.card": ("Card", "TruthFile"),
    "data.stored": ("StoredConfig", "StoredDataset"),
    "evaluation": ("Protocol", "Scores", "evaluate", "protocol"),
    "evaluation.formats": ("detections_from_json", "detections_to_json", "truth_from_json",
        "truth_to_json"),
    "training.hooks": ("Phase", "Progress", "TrainableConfig", "as_array"),
    "training.positions": ("all_indices", "crop_indices", "jitter_indices", "random_indices",
        "uniform_indices"),
    "training.sampling": ("Epoch", "PairPolicy", "collate", "pair_batches", "shuffled_batches"),
    "training.similar": ("SimilarPolicy", "similar_batches"),
    "training.stepping": ("cosine_decay", "epochs_of", "ramp"),
    "training.trainable": ("TrainableMethod",),
}  # fmt: skip
_HOMES = {name: room for room, names in _LAZY.items() for name in names}


if not TYPE_CHECKING:  # or a type checker would believe in any name

    def __getattr__(name: str) -> Any:
        """What is imported late (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"wsal_bench.{_HOMES[name]}"), name)

    def __dir__() -> list[str]:
        return __all__

"""What record.json says; written last, and the sign that a cell is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from wsal_bench.environment import environment
from wsal_bench.running.cells import Cell
from wsal_bench.running.context import STAGES
from wsal_bench.running.coverage import Coverage
from wsal_bench.running.digests import digests_of
from wsal_bench.running.inputs import Inputs
from wsal_bench.running.learning import Learned
from wsal_bench.running.record_file import RECORD_SCHEMA
from wsal_bench.running.results import RunFiles


def good_record(
    cell: Cell,
    place: RunFiles,
    learned: Learned,
    seconds: Mapping[str, float],
    inputs: Inputs,
    scored: Mapping[str, Coverage],
    *,
    isolated: bool,
) -> dict[str, Any]:
    """The record of a cell that has its scores.

    Args:
        cell: which.
        place: where its files lie.
        learned: what there is to know about the method.
        seconds: by stage.
        inputs: what the data set's features and classes were.
        scored: how much there was to score, by truth variant.
        isolated: it had a process of its own.
    """
    return {
        **_head(cell),
        "status": "ok",
        "error": None,
        "isolated": isolated,
        "seconds": {stage: round(seconds[stage], 6) for stage in STAGES},
        "parameters": learned.parameters,
        "paper": dict(learned.paper),
        "source_digest": learned.source_digest,
        "recipe": learned.recipe.to_json(),
        "own_recipe": bool(learned.proposals),
        "history": _history(place),
        "inputs": inputs.to_json(),
        "scored": {variant: part.to_json() for variant, part in scored.items()},
        "digests": digests_of(place.directory),
    }


def failed_record(cell: Cell, error: Mapping[str, str], *, isolated: bool) -> dict[str, Any]:
    """The record of a cell that failed.

    Args:
        cell: which.
        error: `type`, `message` in a sentence, `traceback`, which is empty where there is none.
        isolated: it had a process of its own.
    """
    return {
        **_head(cell),
        "status": "failed",
        "error": dict(error),
        "isolated": isolated,
        "seconds": dict.fromkeys(STAGES, 0.0),
        "parameters": None,
        "paper": {},
        "source_digest": "",
        "recipe": None,
        "own_recipe": False,
        "history": None,
        "inputs": None,
        "scored": None,
        "digests": {},
    }


def _head(cell: Cell) -> dict[str, Any]:
    spec = cell.spec.to_json()
    return {
        "schema": RECORD_SCHEMA,
        "spec": spec,
        "hash": cell.spec.hash,
        "track": spec["track"],
        "selection": cell.spec.track.selection,
        "quick": cell.spec.quick,
        "asked": cell.asked,
        "environment": environment(cell.device),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _history(place: RunFiles) -> dict[str, Any] | None:
    """How many epochs there were and how the last one ended; None where there were none."""
    if not place.history.exists():
        return None
    from wsal_bench.training.history import from_lines

    records = from_lines(place.history.read_text(encoding="utf-8"))
    if not records:
        return None
    return {
        "epochs": len(records),
        "steps": sum(record.steps for record in records),
        "losses": records[-1].losses,
    }

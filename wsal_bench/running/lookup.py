"""Single runs of the store: a line about each, or all about one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsal_bench.errors import UsageError
from wsal_bench.running.diagnosing import stored_diagnoses
from wsal_bench.running.results import (
    ResultStore,
    RunFiles,
    ScoreKey,
    StoredRun,
    StoredScores,
    read_record,
)


def summaries(results: Path) -> list[dict[str, Any]]:
    """A line about each run, sorted by directory."""
    return [_summary(run) for run in ResultStore(results).records(include_failed=True)]


def find_run(results: Path, name: str) -> dict[str, Any] | None:
    """The record and scores of a run.

    Args:
        results: folder of the runs.
        name: its directory, the end of that, the beginning of its hash, or the beginning of its
            key: `<dataset>/<method>`.

    Returns:
        None where no run is meant.

    Raises:
        UsageError: several runs fit.
        DataError: its record is damaged.
    """
    directory = Path(name)
    if (directory / "record.json").exists():
        found = [directory]
    else:
        wanted = name.strip("/")
        found = [
            run.directory
            for run in ResultStore(results).records(include_failed=True)
            if f"/{run.directory.as_posix()}".endswith(f"/{wanted}")
            or (len(wanted) >= 4 and run.spec.hash.startswith(wanted))
            or ("/" in wanted and run.spec.key.startswith(f"{wanted}/"))
        ]
    if not found:
        return None
    if len(found) > 1:
        listing = ", ".join(str(path) for path in found)
        raise UsageError(f"{len(found)} runs fit {name!r}", hint=f"name one of: {listing}")
    files = RunFiles(found[0])
    run = StoredRun(found[0], read_record(files.record), StoredScores(files))
    return {
        "directory": str(found[0]),
        **{key: value for key, value in run.record.items() if key != "schema"},
        "scores": {
            f"{key.recipe} {key.protocol}": scores.to_json(matches=False)
            for key, scores in run.scores.items()
        },
        "diagnosis": stored_diagnoses(files),
    }


def _summary(run: StoredRun) -> dict[str, Any]:
    spec = run.spec
    keys: Sequence[ScoreKey] = list(run.scores)
    scores = run.scores[keys[0]] if keys and not run.failed else None
    return {
        "dataset": spec.data.name,
        "method": spec.name,
        "data_seed": spec.data.seed,
        "seed": spec.seed,
        "status": run.record["status"],
        "quick": spec.quick,
        "protocol": scores.protocol.name if scores else None,
        "average": scores.protocol.headline if scores else None,
        "mAP": scores.headline if scores else None,
        "directory": str(run.directory),
    }

"""Single runs of the store: by name, a line about each, or all about one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from wsal_bench.errors import DataError, UsageError, first_of, nearest
from wsal_bench.evaluation import Scores
from wsal_bench.running.cells import OWN_RECIPE, RunSpec
from wsal_bench.running.diagnosing import stored_diagnoses
from wsal_bench.running.names import Chosen, RunName, is_pattern, run_name
from wsal_bench.running.results import (
    Contents,
    ResultStore,
    RunFiles,
    ScoreKey,
    StoredRun,
    open_run,
)

LIST = "list them with: wsal-bench list runs"


def find_runs(results: Path, name: str) -> list[StoredRun]:
    """The runs that a name means, sorted by directory.

    Args:
        results: folder of the runs.
        name: `[DATASET/]METHOD[:VARIANT][@SEED]` (`running.names`), also a pattern; a directory or
            the end of one; the beginning of a hash, or of a directory below the results.

    Raises:
        UsageError: what stands behind `@` is no seed.
        DataError: the record of a directory is damaged.
    """
    directory = Path(name)
    if (directory / "record.json").exists():
        return [open_run(directory)]
    wanted = name.strip("/")
    parts = RunName.parse(wanted)
    with ResultStore(results).indexed() as store:
        runs = store.runs
    return [
        open_run(run.directory)  # all of its record
        for run in runs
        if f"/{run.directory.as_posix()}".endswith(f"/{wanted}")
        or (len(wanted) >= 4 and run.spec.hash.startswith(wanted))
        or ("/" in wanted and run.spec.key.startswith(f"{wanted}/"))
        or (parts is not None and parts.fits(run.spec))
    ]


def one_run(results: Path, name: str, what: str = "no run") -> StoredRun:
    """The run that a name means.

    Args:
        results: folder of the runs.
        name: as for `find_runs`.
        what: what the name is not where there is none, for the message.

    Raises:
        UsageError: there is none, or several fit.
        DataError: its record is damaged.
    """
    return only_one(find_runs(results, name), results, name, what)


def some_runs(results: Path, name: str, what: str = "no run") -> list[StoredRun]:
    """The runs that a name means: several only where it is a pattern; arguments as of `one_run`.

    Raises:
        UsageError: there is none, or several fit what is no pattern.
        DataError: its record is damaged.
    """
    found = find_runs(results, name)
    if not is_pattern(name) or not found:
        return [only_one(found, results, name, what)]
    return found


def only_one(found: list[StoredRun], results: Path, name: str, what: str = "no run") -> StoredRun:
    """The one that `find_runs` found; arguments and errors as of `one_run`."""
    if not found:
        raise no_run(results, name, what)
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} runs fit {name!r}", hint=f"name one of: {first_of(_apart(found))}"
        )
    return found[0]


def no_run(results: Path, name: str, what: str = "no run") -> UsageError:
    """The error of a name that means nothing; names the nearest run.

    Args:
        results: folder of the runs.
        name: as it was given.
        what: what it is not.
    """
    with ResultStore(results).indexed() as store:
        runs = store.runs
    close = nearest(name, (run_name(run.spec) for run in runs))
    hint = f"did you mean {close!r}? {LIST}" if close else LIST
    return UsageError(f"{what} {name!r} in {results}", hint=hint if runs else "there are no runs")


def described(run: StoredRun) -> dict[str, Any]:
    """The record and scores of a run."""
    return {
        "name": run_name(run.spec),
        "directory": str(run.directory),
        **{key: value for key, value in run.record.items() if key != "schema"},
        "scores": {
            f"{key.recipe} {key.protocol}": scores.to_json(matches=False)
            for key, scores in run.scores.items()
        },
        "diagnosis": stored_diagnoses(RunFiles(run.directory)),
    }


def summaries(store: Contents, chosen: Chosen) -> list[dict[str, Any]]:
    """A line about each chosen run, also failed and unfinished ones, sorted by directory."""
    runs = store.runs
    options = _options_apart(runs)
    lines = [
        _summary(run, options[run.directory])
        for run in runs
        if chosen.holds(run.spec, run.record["status"], run.record.get("finished"))
    ]
    lines += [
        _line(one.spec, one.directory, "unfinished")
        for one in store.unfinished
        if chosen.holds(one.spec, "unfinished", None)
    ]
    return sorted(lines, key=lambda line: str(line["directory"]))


def differing(identities: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys whose values are not the same in all."""
    keys = dict.fromkeys(key for identity in identities for key in identity)
    return [key for key in keys if not _all_alike([one.get(key) for one in identities])]


def _all_alike(values: Sequence[Any]) -> bool:
    first = values[0]
    if isinstance(first, (str, int, float, type(None))):
        return all(value == first and type(value) is type(first) for value in values)
    return len({json.dumps(value, sort_keys=True, default=str) for value in values}) == 1


def _summary(run: StoredRun, options: Mapping[str, Any]) -> dict[str, Any]:
    line = _line(run.spec, run.directory, str(run.record["status"]))
    line |= {"options": dict(options), "finished": run.record.get("finished")}
    if run.failed:
        error = run.record.get("error")
        message = error.get("message") if isinstance(error, Mapping) else error
        return line | {"error": message}
    try:
        scores = _headline(run)
    except DataError as error:  # the other lines are worth reading
        return line | {"status": "damaged", "error": str(error)}
    if scores is None:
        return line
    rules = scores.protocol
    return line | {"protocol": rules.name, "average": rules.headline, "mAP": scores.headline}


def _line(spec: RunSpec, directory: Path, status: str) -> dict[str, Any]:
    """All fields of a line; what is not known is None."""
    return {
        "name": run_name(spec),
        "dataset": spec.data.name,
        "method": spec.name,
        "data_seed": spec.data.seed,
        "seed": spec.seed,
        "hash": spec.hash,
        "options": {},
        "status": status,
        "error": None,
        "quick": spec.quick,
        "protocol": None,
        "average": None,
        "mAP": None,
        "finished": None,
        "directory": str(directory),
    }


def _headline(run: StoredRun) -> Scores | None:
    """The scores that a table would show first."""

    def order(key: ScoreKey) -> tuple[bool, bool]:
        return (key.recipe != OWN_RECIPE, key.protocol != f"{run.spec.data.name}/common")

    keys = sorted(run.scores, key=order)
    return run.scores.summary(keys[0]) if keys else None


def _options_apart(runs: Sequence[StoredRun]) -> dict[Path, dict[str, Any]]:
    """By directory, the options by which a run differs from others of its name and data."""

    def name(run: StoredRun) -> str:
        return f"{run.spec.data.seed} {run.spec.data.name}/{run.spec.name}"

    found: dict[Path, dict[str, Any]] = {}
    for _, group in groupby(sorted(runs, key=name), key=name):
        namesakes = {run.directory: _identity(run.spec) for run in group}
        keys = differing([*namesakes.values()])
        found |= {
            directory: {key: identity.get(key) for key in keys}
            for directory, identity in namesakes.items()
        }
    return found


def _identity(spec: RunSpec) -> dict[str, Any]:
    """Everything but the training seed that tells runs of one name apart."""
    return {
        **spec.config,
        **{f"data.{key}": value for key, value in spec.data.config.items()},
        "data.fingerprint": spec.data.fingerprint[:8],
        "data.version": spec.data.version,
        "version": spec.method_version,
        "precision": spec.precision,
        "threads": spec.threads,
        "device": spec.device,
        "quick": spec.quick,
        **{f"{need.method}.hash": need.hash for need in spec.needs.values()},
    }


def _apart(runs: Sequence[StoredRun]) -> list[str]:
    """A name for each that means it alone: by its hash where others have the same."""
    options = _options_apart(runs)
    names = [run_name(run.spec) for run in runs]
    return [
        name
        if names.count(name) == 1
        else f"{_by_hash(run.spec)} ({run.spec.name}: {in_words(options[run.directory])})"
        for name, run in zip(names, runs, strict=True)
    ]


def in_words(options: Mapping[str, Any]) -> str:
    """`epochs=2, quick=yes`."""
    words = {True: "yes", False: "no"}
    return ", ".join(
        f"{key}={words[value] if isinstance(value, bool) else value}"
        for key, value in options.items()
    )


def _by_hash(spec: RunSpec) -> str:
    return f"{spec.data.name}/{spec.hash}@{run_name(spec).rpartition('@')[2]}"

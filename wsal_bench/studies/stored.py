"""From the store of runs to what tables are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from wsal_bench import plugins
from wsal_bench.config import PUBLISHED
from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.evaluation import Scores
from wsal_bench.evaluation.floors import FLOORS
from wsal_bench.localization.preset import spelled
from wsal_bench.plugins.contract import Track
from wsal_bench.running.cells import OWN_RECIPE, RunSpec
from wsal_bench.running.coverage import Coverage
from wsal_bench.running.results import (
    RunFiles,
    ScoreKey,
    StoredRun,
    open_run,
    read_record,
)
from wsal_bench.studies.runs import ScoredRun

FLOOR_RECIPE = "common"  # reference rows have no recipe of their own


@dataclass(frozen=True, eq=False)
class Collection:
    """The runs of one data set that stand in one table.

    Args:
        dataset: its name.
        recipe: how segments were cut.
        protocol: name of the rules; empty where nothing was scored.
        runs: scored and failed ones.
        num_unscored: runs that have no scores under this recipe and protocol.
    """

    dataset: str
    recipe: str
    protocol: str
    runs: tuple[ScoredRun, ...]
    num_unscored: int


def collect(
    stored: Iterable[StoredRun],
    dataset: str,
    *,
    recipe: str = OWN_RECIPE,
    protocol: str | None,
    quick: bool = False,
    preset: str | None = None,
) -> Collection:
    """The runs of a data set that a table shows: no parents nobody asked for.

    A run whose scores are damaged counts as failed.

    Args:
        stored: all runs of the store.
        dataset: name of the data set.
        recipe: how segments were cut.
        protocol: name of the rules; None: `<dataset>/common`, or the only one there is.
        quick: the quick runs, and none but them; else none of them.
        preset: only runs of this preset, and floors and ceilings; `published`: those whose options
            are all published defaults.

    Raises:
        UsageError: no run is scored under that protocol, or there are several and none is named.
    """
    shown = [
        run
        for run in stored
        if run.spec.data.name == dataset
        and run.spec.quick == quick
        and _has_preset(run.spec, preset)
        and (run.record["asked"] or run.failed)
    ]
    known = {key.protocol for run in shown for key in run.scores if _shows(run, key, recipe)}
    anywhere = {key.protocol for run in shown for key in run.scores}
    chosen = _choose_protocol(known or anywhere, dataset, protocol)
    found: list[ScoredRun] = []
    num_unscored = 0
    for run in shown:
        key = ScoreKey(_recipe_of(run.spec, recipe), chosen)
        if run.failed:
            found.append(scored_run(run, None))
            continue
        try:
            scores = run.scores.summary(key)
        except DataError as error:  # the other rows are worth showing
            damaged = f"scores cannot be read: {error.message}"
            found.append(replace(scored_run(run, None), error=damaged))
            continue
        if scores is None:
            num_unscored += 1
        else:
            full = partial(run.scores.__getitem__, key)
            mark = f"{run.spec.key} {key} {run.scores.stamp(key)}"
            found.append(replace(scored_run(run, scores), read=full, mark=mark))
    return Collection(dataset, recipe, chosen, tuple(map(_quoted, found)), num_unscored)


def _quoted(run: ScoredRun) -> ScoredRun:
    """Without the paper's number where the paper's number is another variant's."""
    plugin = plugins.available("methods").get(run.method) if run.paper and run.variant else None
    leading = plugin.variants[:1] if plugin else ()
    return replace(run, paper={}) if run.variant and run.variant not in leading else run


def scored_run(run: StoredRun, scores: Scores | None) -> ScoredRun:
    """A stored run under one protocol and recipe; without scores it is a failed one."""
    spec, record = run.spec, run.record
    parents = _parents(run.directory, spec)
    return ScoredRun(
        dataset=spec.data.name,
        method=spec.method,
        variant=spec.variant or "",
        data_seed=spec.data.seed,
        seed=spec.seed,
        scores=scores,
        error=error_of(record),
        options=spec.config,
        data=_data(spec),
        settings=_settings(spec, parents),
        seeded=spec.data.seeded,
        track=track_text(spec.track),
        selection=str(record.get("selection") or spec.track.selection),
        budget="; ".join(dict.fromkeys(found.budget for found in spec.found)),
        by_hand=tuple(dict.fromkeys(text for one in (spec, *parents) for text in one.by_hand)),
        parameters=record.get("parameters"),
        seconds=record.get("seconds") or {},
        paper=record.get("paper") or {},
        own_segments=bool(record.get("own_recipe")),
        quick=spec.quick,
        source=_source(spec),
        coverage=Coverage.from_record(record, scores.protocol.truth_variant) if scores else None,
    )


def read_cell(directory: Path, *, recipe: str, protocol: str) -> ScoredRun | None:
    """The run of one directory under one recipe and protocol; None where it is not finished.

    Raises:
        DataError: its record or scores are damaged.
    """
    if not RunFiles(directory).record.exists():
        return None
    run = open_run(directory)
    if run.failed:
        return scored_run(run, None)
    scores = run.scores.get(ScoreKey(recipe, protocol))
    return None if scores is None else scored_run(run, scores)


def datasets(stored: Iterable[StoredRun], *, quick: bool = False) -> list[str]:
    """Names of the data sets that have a quick run, or one that is not."""
    return sorted({run.spec.data.name for run in stored if run.spec.quick == quick})


def recipes(stored: Iterable[StoredRun]) -> list[str]:
    """Names of the recipes that some run has scores under."""
    return sorted({key.recipe for run in stored for key in run.scores})


def error_of(record: Mapping[str, Any]) -> str:
    """Why a run failed, in one line; empty where it did not."""
    error = record.get("error")
    if isinstance(error, Mapping):
        error = error.get("message")
    lines = str(error or "").strip().splitlines()
    return lines[0] if lines else ""


def track_text(track: Track) -> str:
    """What a run was allowed to know, in a few words."""
    models = f", external models: {', '.join(track.external_models)}"
    return (
        f"{track.supervision} labels from {track.label_source}, split {track.split_variant}"
        f"{models if track.external_models else ''}"
    )


def _choose_protocol(known: set[str], dataset: str, wanted: str | None) -> str:
    common = f"{dataset}/common"
    if wanted == "common":
        wanted = common
    if wanted is not None:
        if wanted not in known:
            raise UsageError(
                f"no run on {dataset!r} is scored under {wanted!r}",
                hint=did_you_mean(wanted, known),
            )
        return wanted
    if common in known or not known:
        return common
    if len(known) > 1:
        raise UsageError(
            f"the runs on {dataset!r} are scored under several protocols",
            hint=f"choose one with --protocol: {', '.join(sorted(known))}",
        )
    return next(iter(known))


def _has_preset(spec: RunSpec, wanted: str | None) -> bool:
    if wanted is None or spec.method in FLOORS:
        return True
    if wanted == PUBLISHED:
        return bool(spec.found) and all(found.by == PUBLISHED for found in spec.found)
    return spec.preset == f"preset {wanted}"


def _shows(run: StoredRun, key: ScoreKey, recipe: str) -> bool:
    return key.recipe == _recipe_of(run.spec, recipe)


def _recipe_of(spec: RunSpec, recipe: str) -> str:
    return FLOOR_RECIPE if spec.method in FLOORS else spelled(recipe)


def _source(spec: RunSpec) -> str:
    """The data set as `--datasets` takes it."""
    data = spec.data
    if not data.path:
        return data.plugin
    return f"{data.plugin}:{data.name if data.plugin == 'imported' else data.path}"


def _data(spec: RunSpec) -> dict[str, Any]:
    data: dict[str, Any] = {"version": spec.data.version, **spec.data.config}
    if not spec.data.seeded:  # drawn data have another digest for each data seed
        data["fingerprint"] = spec.data.fingerprint
    return data


def _settings(spec: RunSpec, parents: Sequence[RunSpec]) -> dict[str, Any]:
    """What else decides a run; a parent by its options, as its hash holds the data seed too."""
    found: dict[str, Any] = {
        "version": spec.method_version,
        "precision": spec.precision,
        "threads": spec.threads,
        "device": spec.device,
    }
    for parent in parents:
        found[f"{parent.name}.version"] = parent.method_version
        found |= {f"{parent.name}.{key}": value for key, value in parent.config.items()}
    known = {parent.hash for parent in parents}
    for need in spec.needs.values():
        if need.hash not in known:
            found[f"{need.method}.hash"] = need.hash
    return found


def _parents(directory: Path, spec: RunSpec) -> list[RunSpec]:
    """The runs that a run began with, as far as the store still has them."""
    root = directory.parents[3] if len(directory.parents) > 3 else directory
    found = []
    for need in spec.needs.values():
        record = root / need.cell / "record.json"
        if record.exists():
            try:
                found.append(RunSpec.from_json(read_record(record)["spec"]))
            except DataError:  # the store lists it among its problems
                continue
    return found

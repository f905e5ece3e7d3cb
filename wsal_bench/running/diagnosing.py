"""The diagnosis of a cell: made when it is scored, and made in full when somebody asks.

It lies beside the scores and in no hash: deleting it loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wsal_bench import files
from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation import Scores, evaluate
from wsal_bench.evaluation.diagnosis import SCHEMA, Options, diagnose, obstacle
from wsal_bench.evaluation.formats import detections_from_npz
from wsal_bench.localization.preset import spelled
from wsal_bench.running.activation_file import read_activations
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.oracle_recipe import oracle_recipe
from wsal_bench.running.recipe_file import recipe_from_json
from wsal_bench.running.results import RunFiles, ScoreKey, StoredRun, StoredScores, open_run
from wsal_bench.types import Activations, Detections, GroundTruth


def write_diagnosis(
    path: Path,
    truth: GroundTruth,
    detections: Detections,
    scores: Scores,
    activations: Mapping[str, Activations] | None,
) -> None:
    """Writes the diagnosis of fresh scores, the quick part; nothing under rules it cannot have.

    Args:
        path: where.
        truth: what was scored against.
        detections: what was scored.
        scores: the outcome.
        activations: by video name; None where they cannot be read.

    Raises:
        DataError: the file cannot be written.
    """
    if obstacle(scores.protocol):
        return
    found = diagnose(
        truth, detections, scores, activations=activations, class_names=detections.class_names
    )
    files.make_folder(path.parent)
    files.write_json(path, {"schema": SCHEMA, "data": found.to_json()})


def read_diagnosis(path: Path) -> dict[str, Any]:
    """The content of a stored diagnosis.

    Raises:
        DataError: it is missing, damaged or of another schema.
    """
    document = files.read_json(path)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise DataError(f"not a diagnosis of the schema {SCHEMA}", path=path)
    content = document.get("data")
    if not isinstance(content, dict):
        raise DataError("a diagnosis without data", path=path)
    return content


def stored_diagnoses(place: RunFiles) -> dict[str, dict[str, Any]]:
    """The diagnoses of a run by "<recipe> <protocol>"; none in runs of older versions.

    Raises:
        DataError: one is damaged.
    """
    return {
        f"{key.recipe} {key.protocol}": read_diagnosis(path)
        for key in StoredScores(place, None)
        if (path := place.diagnosis(key.recipe, key.protocol)).exists()
    }


def diagnose_run(
    directory: Path,
    options: Options,
    recipe: str | None = None,
    protocol: str | None = None,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Any]:
    """Everything about a stored run, with the oracle recipe; writes nothing.

    Args:
        directory: the run's.
        options: how, where there is a choice.
        recipe: which scores; None: those under the method's own recipe, else the first there are.
        protocol: which scores; None: the first there are.
        report: told how many recipes are done, and of how many.

    Raises:
        UsageError: the run failed, has no such scores, or a protocol that cannot be diagnosed.
        DataError: files of the run or its data are missing, damaged or not what they were.
    """
    place = RunFiles(directory)
    run = open_run(directory)
    chosen = choose_scores(run, recipe, protocol)
    rules = run.scores[chosen].protocol
    catalog = Catalog()
    if catalog.resolve(run.spec.data) != run.spec.data:
        raise DataError(
            f"the data {run.spec.data.name!r} are not those of the run any more", path=directory
        )
    dataset = catalog.dataset(run.spec.data)
    truth = dataset.ground_truth("test", rules.truth_variant)
    detections = detections_from_npz(run.whole(place.detections(chosen.recipe)))
    activations = read_activations(run.whole(place.activations()))
    scores = evaluate(truth, detections, rules)
    found = diagnose(
        truth,
        detections,
        scores,
        options,
        activations=activations,
        class_names=dataset.class_names,
    )
    recipe_path = place.recipe(chosen.recipe)
    oracle = oracle_recipe(
        truth,
        activations,
        dataset.class_names,
        rules,
        own=recipe_from_json(files.read_json(recipe_path), recipe_path),
        own_average=scores.headline,
        report=report,
    )
    return {
        **found.to_json(),
        "recipe": chosen.recipe,
        "oracle_recipe": oracle.to_json(),
        "quick": run.spec.quick,
    }


def choose_scores(run: StoredRun, recipe: str | None, protocol: str | None) -> ScoreKey:
    """Which scores of a run are meant.

    Args:
        run: a finished run.
        recipe: None: the method's own where it is there, else the first.
        protocol: None: the first there is.

    Raises:
        UsageError: the run failed, or has no such scores.
    """
    if run.failed:
        raise UsageError("a failed run has no scores, so nothing to diagnose", path=run.directory)
    fitting = [
        key
        for key in run.scores
        if (recipe is None or spelled(recipe) == key.recipe) and protocol in (None, key.protocol)
    ]
    if not fitting:
        known = ", ".join(f"{key.recipe} {key.protocol}" for key in run.scores) or "none"
        raise UsageError(
            f"no scores under recipe {recipe or 'any'!r} and protocol {protocol or 'any'!r}",
            hint=f"the run has: {known}",
            path=run.directory,
        )
    return next((key for key in fitting if key.recipe == OWN_RECIPE), fitting[0])

"""What can be scored again: a stored run, or a file of detections beside a truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wsal_bench.errors import DataError, UsageError
from wsal_bench.evaluation.formats import detections_from_json, detections_from_npz
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.names import run_name
from wsal_bench.running.results import RunFiles, StoredRun
from wsal_bench.running.results import open_run as stored_run
from wsal_bench.studies.rescore import dataset_of
from wsal_bench.types import Detections, GroundTruth


@dataclass(frozen=True, eq=False)
class Target:
    """Detections and what they can be scored against.

    Args:
        name: for tables.
        detections: of the test videos.
        truths: at least one, as annotated.
        dataset: whose protocols fit; None where nobody knows.
        run: the run that the detections are of; None for a file.
        recipe: how they were cut, for runs.
        class_names: what the labels of the run's activations mean; empty for a file.
    """

    name: str
    detections: Detections
    truths: tuple[GroundTruth, ...]
    dataset: str | None
    run: StoredRun | None = None
    recipe: str = OWN_RECIPE
    class_names: tuple[str, ...] = ()


def is_run(text: str) -> bool:
    """Whether a name on the command line is meant as a run, not as a file of detections."""
    return not Path(text).is_file()


def open_file(path: Path, truths: Sequence[GroundTruth], name: str | None = None) -> Target:
    """A file of detections, JSON or npz.

    Args:
        path: the file.
        truths: what it can be scored against.
        name: for tables; by default the file's folder and stem.

    Raises:
        UsageError: no truth.
        DataError: the file cannot be read.
    """
    if not truths:
        raise UsageError(
            f"{path} is a file of detections, and nothing says what is true",
            hint="name the annotation with --truth FILE",
        )
    read = detections_from_npz if path.suffix == ".npz" else detections_from_json
    return Target(
        name or f"{path.parent.name}/{path.stem}".strip("/"),
        read(path),
        tuple(truths),
        dataset_of(truths[0]),
    )


def open_run(directory: Path, recipe: str = OWN_RECIPE, catalog: Catalog | None = None) -> Target:
    """The detections of a finished run, with every annotation that its data set has.

    Args:
        directory: the run's.
        recipe: how they were cut.
        catalog: of open data sets; None: one of its own.

    Raises:
        UsageError: the run failed, or was never cut that way.
        DataError: its files or data are missing, damaged or not what they were.
    """
    place = RunFiles(directory)
    run = stored_run(directory)
    if run.failed:
        raise UsageError("a failed run has nothing to score", path=directory)
    path = place.detections(recipe)
    if not path.exists():
        known = ", ".join(sorted({key.recipe for key in run.scores})) or "none"
        raise UsageError(f"no detections under the recipe {recipe!r}", hint=f"it has: {known}",
                         path=directory)  # fmt: skip
    catalog = Catalog() if catalog is None else catalog
    if catalog.resolve(run.spec.data) != run.spec.data:
        raise DataError(
            f"the data {run.spec.data.name!r} are not those of the run any more", path=directory
        )
    dataset = catalog.dataset(run.spec.data)
    return Target(
        run_name(run.spec) + (" (QUICK)" if run.spec.quick else ""),
        detections_from_npz(run.whole(path)),
        tuple(dataset.ground_truth("test", variant) for variant in dataset.truth_variants),
        run.spec.data.name,
        run,
        recipe,
        tuple(dataset.class_names),
    )

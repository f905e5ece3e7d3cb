"""A method as a run left it, ready to be asked about videos it has never seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wsal_bench import plugins
from wsal_bench.config import Layer, build
from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.localization import recipe as recipes
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.plugins.contract import Method, Task
from wsal_bench.running.cells import OWN_RECIPE, RunSpec
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.inputs import Inputs
from wsal_bench.running.resolution import resolve_device
from wsal_bench.running.results import RunFiles, read_record
from wsal_bench.training.checkpoints import FOLDER, LAST, read_weights

if TYPE_CHECKING:
    from torch import Tensor

_REFERENCE_ROWS: Final = ("floor:", "ceiling:")


@dataclass(frozen=True, eq=False)
class Trained:
    """A method with its weights.

    Args:
        method: ready for `activations` and `localize`.
        spec: the run that it is of.
        inputs: the features and classes that it knows.
        weights: the file that they were read from.
        notes: sentences about what is not as it was.
    """

    method: Method
    spec: RunSpec
    inputs: Inputs
    weights: Path
    notes: tuple[str, ...] = ()

    def recipe(self, name: str) -> ProposalRecipe:
        """The recipe of a name; `own` is the method's.

        Raises:
            UsageError: there is none of that name.
        """
        if name == OWN_RECIPE:
            return self.method.recipe
        known = (OWN_RECIPE, *recipes.names())
        if recipes.spelled(name) not in known:
            raise UsageError(f"no recipe {name!r}", hint=did_you_mean(name, known))
        return recipes.recipe(name)


def run_directory(checkpoint: Path) -> Path:
    """The run that a checkpoint file is of.

    Raises:
        DataError: it lies in no run's directory.
    """
    directory = checkpoint.resolve().parent.parent
    if checkpoint.resolve().parent.name != FOLDER or not RunFiles(directory).record.exists():
        raise DataError(
            "lies in no run's directory, so nothing says which method and data it is of",
            hint=f"a run keeps its weights in <run>/{FOLDER}/{LAST}, beside <run>/record.json",
            path=checkpoint,
        )
    return directory


def open_trained(directory: Path, weights: Path | None = None, device: str = "auto") -> Trained:
    """The method of a finished run with its weights.

    Args:
        directory: the run's.
        weights: one of its checkpoints; None: the last.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        UsageError: the run failed, or its method keeps no weights.
        DataError: a file is missing, damaged, unsafe, or of another method or version.
        UnavailableError: the device is not there.
    """
    record = read_record(RunFiles(directory).record)
    spec = RunSpec.from_json(record["spec"])
    if record["status"] != "ok":
        raise UsageError("a failed run has nothing to infer with", path=directory)
    if spec.method.startswith(_REFERENCE_ROWS):
        raise UsageError(
            f"{spec.method} is a reference row made from the truth: it knows nothing of new videos",
            path=directory,
        )
    kind: type[Method] = plugins.load("methods", spec.method)
    _check_version(kind, spec, directory)
    inputs = _inputs(record, spec, directory)
    config = build(kind.Config, [Layer("the run", spec.config)], owner=spec.name)
    method = kind(config, _task(spec, inputs, resolve_device(device)))
    path = weights or directory / FOLDER / LAST
    _load(method, path, spec)
    changed = record["source_digest"] != plugins.source_digest(kind)
    notes = (f"the source of {spec.method} changed since the run",) if changed else ()
    return Trained(method, spec, inputs, path, notes)


def _check_version(kind: type[Method], spec: RunSpec, directory: Path) -> None:
    if kind.version != spec.method_version:
        raise DataError(
            f"the run is of version {spec.method_version} of {spec.method}, installed is version "
            f"{kind.version}",
            hint="install the version of the run, or train again",
            path=directory,
        )
    needed = [name for name, artifact in kind.needs.items() if artifact.kind != "checkpoint"]
    if needed:
        raise UsageError(
            f"{spec.method} reads what another method says of each video ({', '.join(needed)}), "
            "which nobody has said of new ones",
            path=directory,
        )


def _inputs(record: Mapping[str, Any], spec: RunSpec, directory: Path) -> Inputs:
    """From the record; a run of an older version did not write it down: then from its data."""
    if record.get("inputs") is not None:
        return Inputs.from_json(record["inputs"], RunFiles(directory).record)
    catalog = Catalog()
    now = catalog.resolve(spec.data)
    if now != spec.data:
        raise DataError(
            f"the data {spec.data.name!r} are not those of the run any more: version "
            f"{spec.data.version}, digest {spec.data.fingerprint[:12] or 'none'} then, version "
            f"{now.version}, digest {now.fingerprint[:12] or 'none'} now",
            path=directory,
        )
    return Inputs.of(catalog.dataset(spec.data))


def _task(spec: RunSpec, inputs: Inputs, device: str) -> Task:
    return Task(
        feature_dim=inputs.feature_dim,
        class_names=inputs.class_names,
        streams={name: slice(*part) for name, part in inputs.streams.items()},
        device=device,
        seed=spec.seed,
        precision=spec.precision,
    )


def _load(method: Method, path: Path, spec: RunSpec) -> None:
    from wsal_bench.training.trainable import TrainableMethod

    if not isinstance(method, TrainableMethod):
        raise UsageError(f"{spec.name} keeps no weights, so it cannot be asked about new videos")
    found = read_weights(path)
    if found.identity is not None:
        _check_identity(found.identity, method, path)
    expected: dict[str, Tensor] = method.network().state_dict()
    _check_shapes(found.weights, expected, spec, path)
    method.load(found.weights)


def _check_identity(identity: str, method: Method, path: Path) -> None:
    """A checkpoint of training says what it is of."""
    theirs = json.loads(identity)
    ours = {
        "method": f"{type(method).__module__}.{type(method).__qualname__}",
        "feature width": method.task.feature_dim,
        "classes": list(method.task.class_names),
        "options": method.config.to_json(),
    }
    task = theirs["task"]
    stored = {
        "method": theirs["method"],
        "feature width": task["feature_dim"],
        "classes": list(task["class_names"]),
        "options": theirs["config"],
    }
    for name, value in ours.items():
        if value != json.loads(json.dumps(stored[name])):
            there, here = _differing(stored[name], value)
            raise DataError(
                f"the checkpoint is of another training: its {name} {there}, the run's {here}",
                path=path,
            )


def _differing(there: Any, here: Any) -> tuple[str, str]:
    """Both sides in words; of options only those that differ."""
    if isinstance(there, dict) and isinstance(here, dict):
        names = [name for name in {**there, **here} if there.get(name) != here.get(name)]
        return tuple(  # type: ignore[return-value]
            _short([f"{name}={side.get(name, '(none)')}" for name in names])
            for side in (there, here)
        )
    return _short(there), _short(here)


def _check_shapes(
    found: Mapping[str, Tensor], expected: Mapping[str, Tensor], spec: RunSpec, path: Path
) -> None:
    """Weights alone say what they are of by names and shapes only."""
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    if missing or extra:
        parts = [f"it lacks {_short(missing)}"] * bool(missing)
        parts += [f"it holds {_short(extra)}, which the run's has not"] * bool(extra)
        raise DataError(
            f"the weights are of another network than the run's {spec.name}: {'; '.join(parts)}",
            path=path,
        )
    for name, tensor in expected.items():
        if found[name].shape != tensor.shape:
            raise DataError(
                f"the weights are of another network than the run's {spec.name}: {name} is "
                f"{list(found[name].shape)}, the run's is {list(tensor.shape)}",
                hint="another feature width or other classes",
                path=path,
            )


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 200 else f"{text[:200]}..."

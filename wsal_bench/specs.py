"""From a request to its cells: every name, preset, option and protocol is settled in here.

Nothing trains before the whole plan stands, so a mistake in the last cell is said at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wsal_bench import plugins
from wsal_bench.api import Artifact, Dataset, Method, Split, Task, Track
from wsal_bench.cells import (
    OWN_RECIPE,
    Cell,
    DataSpec,
    Need,
    Precision,
    RunRequest,
    RunSpec,
)
from wsal_bench.config import Layer, build, choose_preset, read_presets
from wsal_bench.datasource import Catalog
from wsal_bench.errors import UnavailableError, UsageError, did_you_mean
from wsal_bench.evaluation import protocols
from wsal_bench.evaluation.protocols import Protocol
from wsal_bench.floors import FLOORS
from wsal_bench.localization import recipe as recipes
from wsal_bench.plugins import MethodName
from wsal_bench.settings import Settings

__all__ = ["Cell", "Precision", "RunRequest", "RunSpec", "plan"]

QUICK_PRESET = "quick"
QUICK_EPOCHS = 2


def plan(request: RunRequest, catalog: Catalog | None = None) -> list[Cell]:
    """The cells of a request, parents before children.

    Args:
        request: what is asked for.
        catalog: keeps the data sets that are opened on the way.

    Raises:
        UsageError: a name, preset, option, protocol or number that cannot be right; two cells that
            are equal; a method that refuses the data.
        DataError: a data set that cannot be opened.
        UnavailableError: a device that is not there.
    """
    _check_numbers(request)
    names = plugins.resolve_methods(request.methods)
    planner = _Planner(request, names, catalog or Catalog(), resolve_device(request.device))
    cells = planner.cells()
    planner.settings.refuse_unused()
    _refuse_equal(cells)
    return cells


def resolve_device(name: str) -> str:
    """A torch device name that exists here, for `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        UsageError: another name.
        UnavailableError: there is no such device.
    """
    kind, colon, index = name.partition(":")
    if name == "cpu":
        return name
    if name != "auto" and (kind != "cuda" or (colon and not index.isdigit())):
        raise UsageError(f"no device {name!r}", hint="there are auto, cpu, cuda and cuda:N")
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not torch.cuda.is_available():
        raise UnavailableError(f"--device {name}: torch sees no CUDA device here")
    if colon and int(index) >= torch.cuda.device_count():
        raise UnavailableError(
            f"--device {name}: there are {torch.cuda.device_count()} CUDA devices"
        )
    return name


def choose_protocol(wanted: str | None, dataset: Dataset, name: str) -> Protocol:
    """The protocol that a data set is scored under.

    Args:
        wanted: `common` or None: `<name>/common`; else one that fits the data set.
        dataset: says which protocols fit.
        name: of the data set.

    Raises:
        UsageError: the protocol does not fit, or is none.
    """
    known = (f"{name}/common", *dataset.protocols)
    full = known[0] if wanted in (None, "common") else str(wanted)
    if full not in known:
        raise UsageError(
            f"protocol {full!r} does not fit data set {name!r}",
            hint=did_you_mean(full, known, kind="these do"),
        )
    chosen = protocols.common(name) if full == known[0] else protocols.protocol(full)
    if chosen.truth_variant not in dataset.truth_variants:
        raise UsageError(
            f"protocol {full!r} needs the truth variant {chosen.truth_variant!r}",
            hint=did_you_mean(chosen.truth_variant, dataset.truth_variants),
        )
    return chosen


@dataclass(frozen=True, eq=False)
class _Data:
    """A data set of the run, opened."""

    spec: DataSpec
    dataset: Dataset
    protocol: Protocol


@dataclass(frozen=True, eq=False)
class _Entry:
    """A method's class and presets, looked up once."""

    kind: type[Method]
    presets: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class _Options:
    """A method's options, resolved."""

    config: Mapping[str, Any]
    preset: str


class _Planner:
    """Makes each cell once."""

    def __init__(
        self, request: RunRequest, names: list[MethodName], catalog: Catalog, device: str
    ) -> None:
        self.request = request
        self.names = names
        self.catalog = catalog
        self.device = device
        self.settings = Settings.read(request.sets, request.config_file)
        self._cells: dict[str, Cell] = {}
        self._splits: dict[str, set[Split]] = {}
        self._inherited: set[str] = set()
        self._entries: dict[str, _Entry] = {}
        self._parents: dict[str, MethodName] = {}

    def cells(self) -> list[Cell]:
        """All cells, reference rows first, parents before children."""
        for data in self._datasets():
            for seed in dict.fromkeys(self.request.seeds):
                for floor in FLOORS if self.request.floors else ():
                    self._add(Cell(self._floor(floor, data, seed), data.protocol, "common"))
                for name in self.names:
                    cell = self._cell(name, data, seed, ())
                    self._cells[cell.key] = replace(cell, asked=True)
        return [
            replace(
                cell,
                splits=tuple(sorted(self._splits.get(key, set()) | {"test"})),
                inherited=key in self._inherited,
            )
            for key, cell in self._cells.items()
        ]

    def _add(self, cell: Cell) -> Cell:
        return self._cells.setdefault(cell.key, cell)

    def _datasets(self) -> list[_Data]:
        if not self.request.datasets:
            raise UsageError(
                "no data set was named",
                hint=did_you_mean("", plugins.available("datasets"), kind="data sets"),
            )
        found: dict[str, _Data] = {}
        for text in dict.fromkeys(self.request.datasets):
            for data in self._dataset(text):
                found.setdefault(repr((data.spec.path, _data_identity(data.spec))), data)
        return list(found.values())

    def _dataset(self, text: str) -> list[_Data]:
        name, _, path = text.partition(":")
        kind: type[Dataset] = plugins.load("datasets", name)
        layers = [Layer("quick size", kind.quick or {})] if self.request.quick else []
        config = build(kind.Config, [*layers, *self.settings.layers(name)], owner=name)
        spec = DataSpec(
            plugin=name,
            name=name,
            version=kind.version,
            config=config.to_json(),
            seeded=kind.seeded,
            shortened=self.request.quick and kind.quick is None,
            path=str(Path(path).expanduser().resolve()) if path else None,
        )
        seeds = dict.fromkeys(self.request.data_seeds) if kind.seeded else (0,)
        return [self._opened(replace(spec, seed=seed)) for seed in seeds]

    def _opened(self, spec: DataSpec) -> _Data:
        spec = self.catalog.resolve(spec)
        dataset = self.catalog.dataset(spec)
        return _Data(spec, dataset, choose_protocol(self.request.protocol, dataset, spec.name))

    def _floor(self, name: str, data: _Data, seed: int) -> RunSpec:
        return RunSpec(
            method=name,
            variant=None,
            method_version="1",
            config={},
            data=data.spec,
            track=Track(label_source="truth boundaries", selection="none"),
            seed=seed,
            quick=self.request.quick,
        )

    def _cell(self, name: MethodName, data: _Data, seed: int, trail: tuple[str, ...]) -> Cell:
        """The cell of a method, after those that it needs."""
        if str(name) in trail:
            raise UsageError(f"methods need each other: {' -> '.join((*trail, str(name)))}")
        kind = self._entry(name.method).kind
        parents = {
            key: self._cell(self._parent(name, artifact), data, seed, (*trail, str(name)))
            for key, artifact in kind.needs.items()
        }
        options = self._options(name, kind, data, parents)
        spec = RunSpec(
            method=name.method,
            variant=name.variant,
            method_version=kind.version,
            config=options.config,
            data=data.spec,
            track=replace(data.dataset.track, supervision=kind.supervision),
            seed=seed,
            precision=self.request.precision,
            threads=self.request.threads,
            device=self.device.partition(":")[0],
            needs={key: self._need(kind.needs[key], cell) for key, cell in parents.items()},
            quick=self.request.quick,
            preset=options.preset,
            by_hand=self.settings.texts(name.method, name.variant),
        )
        if not kind.needs:  # what needs a parent is not made without it
            _refuses_data(kind, spec, data.dataset)
        cell = Cell(spec, data.protocol, self.request.recipe, self.device, asked=False)
        return self._add(cell)

    def _parent(self, child: MethodName, artifact: Artifact) -> MethodName:
        if artifact.method not in self._parents:
            names = plugins.resolve_methods([artifact.method])
            if len(names) != 1:
                listing = ", ".join(map(str, names))
                raise UsageError(f"{child} needs one of {listing}, and does not say which")
            self._parents[artifact.method] = names[0]
        return self._parents[artifact.method]

    def _need(self, artifact: Artifact, parent: Cell) -> Need:
        splits: tuple[Split, ...] = ()
        if artifact.kind == "checkpoint":
            self._inherited.add(parent.key)
        else:
            splits = artifact.splits
        self._splits.setdefault(parent.key, set()).update(splits)
        return Need(artifact.method, artifact.kind, splits, parent.spec.hash, parent.key)

    def _options(
        self, name: MethodName, kind: type[Method], data: _Data, parents: Mapping[str, Cell]
    ) -> _Options:
        preset = self._preset(name, data)
        variants = {**kind.variants, **kind.controls}
        own = [Layer("variant", variants[name.variant])] if name.variant else []
        layers = [preset, *own, *self.settings.layers(name.method, name.variant)]
        shared = _shared(name, kind, parents, layers)
        if self.request.quick and data.dataset.quick is None and "epochs" in kind.Config.fields():
            layers.insert(len(own) + 1, Layer("--quick", {"epochs": QUICK_EPOCHS}))
        config = build(kind.Config, [*layers, *shared], owner=str(name))
        return _Options(config.to_json(), preset.origin)

    def _entry(self, name: str) -> _Entry:
        if name not in self._entries:
            kind = plugins.load("methods", name)
            path = plugins.presets_path(plugins.available("methods")[name])
            self._entries[name] = _Entry(kind, read_presets(path) if path else {})
        return self._entries[name]

    def _preset(self, name: MethodName, data: _Data) -> Layer:
        presets = self._entry(name.method).presets
        wanted = self.request.preset or data.dataset.preset or data.spec.name
        if self.request.quick and not self.request.preset and QUICK_PRESET in presets:
            wanted = QUICK_PRESET
        explicit = self.request.preset is not None
        return choose_preset(presets, wanted, owner=name.method, explicit=explicit)


def _shared(
    name: MethodName, kind: type[Method], parents: Mapping[str, Cell], layers: list[Layer]
) -> list[Layer]:
    """Options that are the parents'; an error where the child sets one."""
    shared = []
    for key, parent in parents.items():
        for option in kind.needs[key].shared:
            for layer in layers:
                if option in layer.values:
                    raise UsageError(
                        f"{name}.{option} ({layer.origin}) is read from {parent.spec.name}",
                        hint=f"set {parent.spec.name}.{option} instead",
                    )
            if option not in parent.spec.config:
                raise UsageError(f"{name} reads {option!r} from {parent.spec.name}: no such option")
            shared.append(
                Layer(f"read from {parent.spec.name}", {option: parent.spec.config[option]})
            )
    return shared


def _refuses_data(kind: type[Method], spec: RunSpec, dataset: Dataset) -> None:
    """Lets a method say now, not after the others have trained, that these data do not suit it."""
    config = build(kind.Config, [Layer("the plan", spec.config)], owner=spec.name)
    kind(config, task_of(spec, dataset, "cpu"))


def task_of(spec: RunSpec, dataset: Dataset, device: str) -> Task:
    """What a method is told about a data set."""
    return Task(
        feature_dim=dataset.feature_dim,
        class_names=tuple(dataset.class_names),
        streams=dataset.streams,
        device=device,
        seed=spec.seed,
        precision=spec.precision,
    )


def _data_identity(spec: DataSpec) -> str:
    return repr((spec.plugin, spec.name, sorted(spec.config.items()), spec.fingerprint, spec.seed))


def _check_numbers(request: RunRequest) -> None:
    for option, values in (("--seeds", request.seeds), ("--data-seeds", request.data_seeds)):
        if not values or min(values) < 0:
            raise UsageError(f"{option} {list(values)}", hint="seeds are whole numbers, 0 or more")
    for option, value in (("--threads", request.threads), ("-j", request.jobs)):
        if value < 1:
            raise UsageError(f"{option} {value}", hint="it must be 1 or more")
    if request.precision not in ("fp32", "bf16"):
        raise UsageError(f"no precision {request.precision!r}", hint="there are fp32 and bf16")
    if request.recipe != OWN_RECIPE:
        recipes.recipe(request.recipe)


def _refuse_equal(cells: list[Cell]) -> None:
    seen: dict[str, Cell] = {}
    for cell in cells:
        if cell.is_floor:
            continue
        identity = {**cell.spec.identity, "variant": None, "seed": cell.spec.seed}
        first = seen.setdefault(repr(sorted(identity.items())), cell)
        if first is not cell:
            raise UsageError(
                f"{first.spec.name} and {cell.spec.name} are the same cell on "
                f"{cell.spec.data.name}: all their options are equal",
                hint="change an option of one of them, or run only one",
            )

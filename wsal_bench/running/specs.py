"""From a request to its cells: every name, preset, option and protocol is settled in here.

Nothing trains before the whole plan stands, so a mistake in the last cell is said at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from wsal_bench import plugins
from wsal_bench.config import Layer, build
from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.evaluation.floors import FLOORS
from wsal_bench.evaluation.protocols import Protocol
from wsal_bench.plugins import MethodName
from wsal_bench.plugins.contract import Artifact, Dataset, Method, Split, Track
from wsal_bench.running.cells import Cell, DataSpec, Need, Precision, RunRequest, RunSpec
from wsal_bench.running.datasource import Catalog
from wsal_bench.running.resolution import (
    Library,
    check_numbers,
    choose_protocol,
    resolve_device,
    task_of,
)
from wsal_bench.running.settings import Settings

__all__ = ["Cell", "Precision", "RunRequest", "RunSpec", "plan"]


def plan(request: RunRequest, catalog: Catalog | None = None) -> list[Cell]:
    """The cells of a request, parents before children.

    Args:
        request: what is asked for.
        catalog: keeps the data sets that are opened on the way.

    Raises:
        UsageError: a name, preset, option, protocol or number that cannot be right; two cells that
            are equal, two data sets of one name; a method that refuses the data.
        DataError: a data set that cannot be opened.
        UnavailableError: a device that is not there.
    """
    check_numbers(request)
    names = plugins.resolve_methods(request.methods)
    planner = _Planner(request, names, catalog or Catalog(), resolve_device(request.device))
    cells = planner.cells()
    planner.settings.refuse_unused()
    _refuse_equal(cells)
    return cells


@dataclass(frozen=True, eq=False)
class _Data:
    """A data set of the run, opened."""

    spec: DataSpec
    dataset: Dataset
    protocol: Protocol


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
        self.library = Library(request, self.settings)
        self._cells: dict[str, Cell] = {}
        self._splits: dict[str, set[Split]] = {}
        self._inherited: set[str] = set()
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
        _refuse_namesakes([data.spec for data in found.values()])
        return list(found.values())

    def _dataset(self, text: str) -> list[_Data]:
        name, colon, path = text.partition(":")
        kind: type[Dataset] = plugins.load("datasets", name)
        if colon and not kind.takes_path:
            raise UsageError(f"{name} takes no path, not {path!r}", hint=f"write {name} alone")
        layers = [Layer("quick size", kind.quick or {})] if self.request.quick else []
        config = build(kind.Config, [*layers, *self.settings.layers(name)], owner=name)
        spec = DataSpec(
            plugin=name,
            name=name,
            version=kind.version,
            config=config.to_json(),
            seeded=kind.seeded,
            shortened=self.request.quick and kind.quick is None,
            path=str(kind.locate(path)) if path else None,
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
            by_hand=self.settings.texts(data.spec.plugin),
        )

    def _cell(self, name: MethodName, data: _Data, seed: int, trail: tuple[str, ...]) -> Cell:
        """The cell of a method, after those that it needs."""
        if str(name) in trail:
            raise UsageError(f"methods need each other: {' -> '.join((*trail, str(name)))}")
        kind = self.library.entry(name.method).kind
        parents = {
            key: self._cell(self._parent(name, artifact), data, seed, (*trail, str(name)))
            for key, artifact in kind.needs.items()
        }
        options = self.library.options(name, data.dataset, data.spec.name, parents)
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
            max_steps=options.max_steps,
            preset=options.preset.origin,
            found=options.found(parents),
            by_hand=self._by_hand(name, data, parents.values()),
        )
        if not kind.needs:  # what needs a parent is not made without it
            _refuses_data(kind, spec, data.dataset)
        cell = Cell(spec, data.protocol, self.request.recipe, self.device, asked=False)
        return self._add(cell)

    def _by_hand(self, name: MethodName, data: _Data, parents: Iterable[Cell]) -> tuple[str, ...]:
        """Options set by hand that reach a cell: its own, its parents', those of the data."""
        inherited = (text for parent in parents for text in parent.spec.by_hand)
        own = self.settings.texts(name.method, name.variant)
        return tuple(dict.fromkeys((*own, *inherited, *self.settings.texts(data.spec.plugin))))

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


def _refuses_data(kind: type[Method], spec: RunSpec, dataset: Dataset) -> None:
    """Lets a method say now, not after the others have trained, that these data do not suit it."""
    config = build(kind.Config, [Layer("the plan", spec.config)], owner=spec.name)
    try:
        kind(config, task_of(spec, dataset, "cpu"))
    except UsageError as error:
        message = f"{spec.name} on {spec.data.name}: {error.message}"
        raise UsageError(message, hint=error.hint, path=error.path) from error


def _data_identity(spec: DataSpec) -> str:
    return repr((spec.plugin, spec.name, sorted(spec.config.items()), spec.fingerprint, spec.seed))


def _refuse_namesakes(specs: list[DataSpec]) -> None:
    """Two data sets of one name would share a folder, a protocol and a row of the leaderboard."""
    installed = plugins.available("datasets")
    seen: dict[str, DataSpec] = {}
    for spec in specs:
        if spec.name != spec.plugin and spec.name in installed:
            raise UsageError(
                f"{_place(spec)} is called {spec.name!r}, as is the installed data set {spec.name}",
                hint="give it another name",
            )
        first = seen.setdefault(spec.name, spec)
        same_place = _place(first) == _place(spec)  # they differ in their data seeds only
        if not same_place and _data_identity(first) != _data_identity(spec):
            raise UsageError(
                f"{_place(first)} and {_place(spec)} are both called {spec.name!r}, and differ",
                hint="give one of them another name",
            )


def _place(spec: DataSpec) -> str:
    return f"{spec.plugin}:{spec.path}" if spec.path else spec.plugin


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

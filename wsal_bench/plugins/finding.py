"""Finds methods and data sets by name: built-in, in a local folder, or installed (entry points).

A plugin is a file (or a folder with `__init__.py`) whose stem, with - for _, is its name and which
holds a class `Method` or `Dataset`. Names, docstrings, groups and variants are read from the source
without importing it, so that listing is quick and a broken plugin harms nobody else.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.plugins import blame
from wsal_bench.plugins.names import MethodName, Plugin, resolve
from wsal_bench.plugins.probing import deadly_import

Kind = Literal["methods", "datasets"]

PLUGIN_FOLDERS = "WSAL_BENCH_PLUGINS"
"""Environment variable: folders that hold `methods/` and `datasets/`, as `--plugins` sets it."""

_PACKAGES: dict[Kind, str] = {"methods": "wsal_methods", "datasets": "wsal_datasets"}
_CLASSES: dict[Kind, str] = {"methods": "Method", "datasets": "Dataset"}
_SINGULAR: dict[Kind, str] = {"methods": "method", "datasets": "data set"}


@dataclass(frozen=True)
class Broken:
    """A file among the plugins that is none."""

    name: str
    origin: str
    message: str


def local_folders(kind: Kind) -> list[str]:
    """Folders of that kind inside the plugin folders that the user gave, each once."""
    given = os.environ.get(PLUGIN_FOLDERS, "").split(os.pathsep)
    folders = dict.fromkeys(Path(name).resolve() / kind for name in given if name)
    return [str(folder) for folder in folders if folder.is_dir()]


def available(kind: Kind) -> dict[str, Plugin]:
    """All plugins of a kind by name, sorted; imports none of them.

    Raises:
        UsageError: two plugins have the same name.
        DataError: a plugin folder that the user gave is not there.
    """
    return _scan(kind).plugins


def broken(kind: Kind) -> list[Broken]:
    """Files that stand among the plugins but cannot be used, and why."""
    return _scan(kind).broken


def load(kind: Kind, name: str) -> type[Any]:
    """The plugin's class.

    Raises:
        UsageError: there is no such plugin, or it cannot be imported.
    """
    scan = _scan(kind)
    for bad in scan.broken:
        if bad.name == name:
            raise UsageError(f"{_SINGULAR[kind]} {name!r}: {bad.message}", path=bad.origin)
    if name not in scan.plugins:
        raise UsageError(
            f"no {_SINGULAR[kind]} {name!r}",
            hint=did_you_mean(name, scan.plugins, kind=f"{_SINGULAR[kind]}s"),
        )
    plugin = scan.plugins[name]
    found = _import(plugin, kind)
    _check_written_out(found, plugin)
    return found


def resolve_methods(names: Iterable[str]) -> list[MethodName]:
    """The methods and variants that names on the command line stand for.

    A name is a method (all its published variants), `method:variant`, `method:*` (variants and
    controls), a group, or a pattern with `*`. Duplicates collapse, the order is that given.

    Raises:
        UsageError: nothing of that name.
    """
    scan = _scan("methods")
    chosen: dict[MethodName, None] = {}
    for text in names:
        bad = [entry for entry in scan.broken if entry.name == text.partition(":")[0]]
        if bad:
            raise UsageError(f"method {text!r}: {bad[0].message}", path=bad[0].origin)
        chosen.update(dict.fromkeys(resolve(text.strip(), scan.plugins)))
    if not chosen:
        raise UsageError("no method was named", hint=did_you_mean("", scan.plugins, kind="methods"))
    return list(chosen)


def presets_path(plugin: Plugin) -> Path | None:
    """Where a method's presets would stand: `presets/<stem>.yaml` beside its module."""
    if plugin.path is None:
        return None
    module = plugin.path.parent if plugin.path.name == "__init__.py" else plugin.path
    return module.parent / "presets" / f"{module.stem}.yaml"


def source_digest(plugin_class: type[Any]) -> str:
    """SHA-256 over the files of a plugin and of the plugins that it inherits from."""
    root = plugin_class.__module__.partition(".")[0]
    modules = dict.fromkeys(
        base.__module__
        for base in plugin_class.__mro__
        if base.__module__.partition(".")[0] == root or base is plugin_class
    )
    digest = hashlib.sha256()
    for module in modules:
        file = getattr(sys.modules.get(module), "__file__", None)
        for path in _source_files(Path(file)) if file else ():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Scan:
    plugins: dict[str, Plugin]
    broken: list[Broken]


def _scan(kind: Kind) -> _Scan:
    from wsal_bench.plugins.source import UnreadableError, read_facts

    _check_folders()
    plugins: dict[str, Plugin] = {}
    bad: list[Broken] = []
    for candidate in (*_in_folders(kind), *_installed(kind)):
        if candidate.name in plugins:
            first = plugins[candidate.name]
            raise UsageError(
                f"two {_SINGULAR[kind]}s are called {candidate.name!r}: one in {first.origin}, "
                f"one in {candidate.origin}",
                hint="rename one of them",
            )
        try:
            facts = read_facts(candidate.path, candidate.target)
        except UnreadableError as error:
            bad.append(Broken(candidate.name, candidate.origin, str(error)))
        else:
            plugins[candidate.name] = Plugin(
                candidate.name, candidate.target, candidate.origin, candidate.path, **vars(facts)
            )
    return _Scan(dict(sorted(plugins.items())), bad)


def _check_folders() -> None:
    for name in filter(None, os.environ.get(PLUGIN_FOLDERS, "").split(os.pathsep)):
        folder = Path(name)
        if not any((folder / kind).is_dir() for kind in _PACKAGES):
            raise DataError(
                "this plugin folder has neither methods/ nor datasets/"
                if folder.is_dir()
                else "no such plugin folder",
                path=folder,
            )


def _folders(kind: Kind) -> list[str]:
    """The built-in folder and the local ones; the package imports from exactly these."""
    package = importlib.import_module(_PACKAGES[kind])
    built_in = str(Path(str(package.__file__)).parent)
    folders = [built_in, *(folder for folder in local_folders(kind) if folder != built_in)]
    if list(package.__path__) != folders:  # the variable was set after the package was imported
        package.__path__[:] = folders
        _forget_modules(package, folders)
        importlib.invalidate_caches()
    return folders


def _forget_modules(package: ModuleType, folders: list[str]) -> None:
    """Modules of a plugin folder that is not in use any more make way for their namesakes."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not name.startswith(f"{package.__name__}.") or file is None:
            continue
        if not any(Path(folder) in Path(file).parents for folder in folders):
            del sys.modules[name]
            vars(package).pop(name.rpartition(".")[2], None)


def _in_folders(kind: Kind) -> Iterator[Plugin]:
    package = _PACKAGES[kind]
    for folder in _folders(kind):  # one by one: iter_modules hides a second namesake
        for module in pkgutil.iter_modules([folder]):
            if module.name.startswith("_"):
                continue
            place = Path(folder) / module.name
            path = place / "__init__.py" if module.ispkg else place.with_name(f"{module.name}.py")
            target = f"{package}.{module.name}:{_CLASSES[kind]}"
            yield Plugin(module.name.replace("_", "-"), target, str(path), path)


def _installed(kind: Kind) -> Iterator[Plugin]:
    from importlib.metadata import entry_points  # slow to import, and --help has no use for it

    from wsal_bench.plugins.source import find_source

    for point in sorted(entry_points(group=f"wsal_bench.{kind}")):
        origin = f"the package {point.dist.name}" if point.dist else "an installed package"
        target = point.value if ":" in point.value else f"{point.value}:{_CLASSES[kind]}"
        yield Plugin(point.name, target, origin, find_source(target.partition(":")[0]))


def _import(plugin: Plugin, kind: Kind) -> type[Any]:
    name, _, attribute = plugin.target.partition(":")
    death = None if _is_built_in(plugin, kind) else deadly_import(name)
    if death is not None:
        raise UsageError(
            f"{_SINGULAR[kind]} {plugin.name!r} cannot be imported: {death}", path=plugin.origin
        )
    try:
        found: Any = importlib.import_module(name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # somebody else's module may raise anything
        raise UsageError(
            f"{_SINGULAR[kind]} {plugin.name!r} cannot be imported: {blame.sentence(error)}",
            path=plugin.origin,
        ) from error
    _check_class(found, plugin, kind)
    return found  # type: ignore[no-any-return]


def _is_built_in(plugin: Plugin, kind: Kind) -> bool:
    return plugin.path is not None and Path(_folders(kind)[0]) in plugin.path.parents


def _check_class(found: Any, plugin: Plugin, kind: Kind) -> None:
    from wsal_bench.plugins import contract as api

    base: type[Any] = api.Method if kind == "methods" else api.Dataset
    if not (isinstance(found, type) and issubclass(found, base)):
        raise UsageError(
            f"{plugin.target} is no subclass of wsal_bench.plugins.contract.{_CLASSES[kind]}",
            path=plugin.origin,
        )


def _check_written_out(found: type[Any], plugin: Plugin) -> None:
    """What was read from the source must be what the class says, or names would lie."""
    defined_here = found.__module__ == plugin.target.partition(":")[0]
    if plugin.path is None or not defined_here:
        return
    for name in ("groups", "variants", "controls"):
        says = tuple(getattr(found, name, ()))
        if says != getattr(plugin, name):
            raise UsageError(
                f"{plugin.name}: its {name} are {list(says)}, but its source does not show them",
                hint=f"write `{name} = ...` out in the class; it is read without importing",
                path=plugin.origin,
            )


def _source_files(path: Path) -> list[Path]:
    if path.name != "__init__.py":
        return [path]
    return sorted(path.parent.rglob("*.py"))

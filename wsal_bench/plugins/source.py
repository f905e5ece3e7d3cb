"""Reads what a plugin says of itself from its source, without importing it."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from pathlib import Path


class UnreadableError(Exception):
    """A file that cannot be a plugin, and why."""


@dataclass(frozen=True)
class Facts:
    """What stands in the source; the fields are those of `Plugin`."""

    summary: str = ""
    groups: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)


def read_facts(path: Path | None, target: str) -> Facts:
    """The facts of a plugin; none where its source could not be found.

    Args:
        path: its file.
        target: `module:Class`.

    Raises:
        UnreadableError: no such file, a syntax error, no such class, or facts that are not
            written out as literals.
    """
    if path is None:
        return Facts()
    module, _, name = target.partition(":")
    if not all(part.isidentifier() for part in module.split(".")):
        raise UnreadableError(f"{path.stem!r} is no module name; use _ for -")
    tree = _parse(path)
    body = _class_body(tree, name)
    if body is None:
        raise UnreadableError(f"it has no class {name}")
    docstring = ast.get_docstring(tree) or (
        ast.get_docstring(body) if isinstance(body, ast.ClassDef) else None
    )
    summary = docstring.strip().splitlines()[0] if docstring and docstring.strip() else ""
    if not isinstance(body, ast.ClassDef):
        return Facts(summary)
    return Facts(
        summary,
        groups=_strings(body, "groups"),
        variants=_keys(body, "variants"),
        controls=_keys(body, "controls"),
        about=_dictionary(body, "about"),
    )


def find_source(module: str) -> Path | None:
    """The file of an installed module, found without importing it or its packages."""
    first, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(first)
    except ValueError:  # a module without a spec, such as __main__
        return None
    name = first
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    if spec is None or spec.origin is None or not spec.has_location:
        return None
    return Path(spec.origin)


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        raise UnreadableError(f"line {error.lineno}: {error.msg}") from error
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot be read: {error}") from error


def _class_body(tree: ast.Module, name: str) -> ast.stmt | None:
    """The statement that gives the module this name."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
        if isinstance(node, ast.ImportFrom) and any(
            (alias.asname or alias.name) == name for alias in node.names
        ):
            return node
        if isinstance(node, ast.Assign) and any(
            isinstance(goal, ast.Name) and goal.id == name for goal in node.targets
        ):
            return node
    return None


def _value(body: ast.ClassDef, name: str) -> ast.expr | None:
    for node in body.body:
        if isinstance(node, ast.Assign):
            goals = node.targets
        elif isinstance(node, ast.AnnAssign):
            goals = [node.target]
        else:
            continue
        if any(isinstance(goal, ast.Name) and goal.id == name for goal in goals):
            return node.value
    return None


def _strings(body: ast.ClassDef, name: str) -> tuple[str, ...]:
    value = _value(body, name)
    if value is None:
        return ()
    if isinstance(value, (ast.Tuple, ast.List)):
        return _texts(value.elts, name)
    raise UnreadableError(f"its {name} must be written out as a tuple of names")


def _keys(body: ast.ClassDef, name: str) -> tuple[str, ...]:
    value = _value(body, name)
    if value is None:
        return ()
    if isinstance(value, ast.Call) and len(value.args) == 1 and not value.keywords:
        value = value.args[0]  # such as MappingProxyType({...})
    if isinstance(value, ast.Dict):
        return _texts(value.keys, name)
    raise UnreadableError(f"its {name} must be written out as a dict with names as keys")


def _dictionary(body: ast.ClassDef, name: str) -> dict[str, str]:
    value = _value(body, name)
    try:
        found = {} if value is None else ast.literal_eval(value)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(part, str) for part in found.values()):
        raise UnreadableError(f"its {name} must be written out as a dict of texts")
    return found


def _texts(nodes: list[ast.expr] | list[ast.expr | None], name: str) -> tuple[str, ...]:
    texts = [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    if len(texts) != len(nodes):
        raise UnreadableError(f"the names in its {name} must be written out")
    return tuple(texts)

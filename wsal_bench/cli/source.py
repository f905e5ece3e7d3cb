"""What a plugin's source says of its options, without importing it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from wsal_bench import config as ground
from wsal_bench.errors import DataError
from wsal_bench.plugins.source import find_source

_ROOT = Path(str(ground.__file__))  # where the base of all options is


@dataclass(frozen=True)
class Option:
    """One option of a plugin, as its source has it.

    Args:
        name: on the command line.
        kind: its annotation.
        default: the expression of its default; empty: it must be given.
        comment: what stands behind it in its line, or in lines of its own above it; mostly the
            source of the value.
        inherited: the class that it comes from, where that is another one; else empty.
    """

    name: str
    kind: str
    default: str
    comment: str
    inherited: str = ""


@dataclass(frozen=True)
class Source:
    """What a plugin's file says.

    Args:
        docstring: of the module.
        options: in the order of definition; those of a parent class are not repeated.
    """

    docstring: str = ""
    options: tuple[Option, ...] = field(default=())


def read_source(path: Path | None) -> Source:
    """The text about a plugin; nothing where its source could not be found.

    Raises:
        DataError: the file cannot be read.
    """
    if path is None:
        return Source()
    file = _File(path)
    classes = [node for node in ast.walk(file.tree) if isinstance(node, ast.ClassDef)]
    options = [
        option
        for node in classes
        if node.name.endswith("Config")
        for option in _options(node, file.comments)
    ]
    return Source(
        docstring=ast.get_docstring(file.tree) or "",
        options=tuple(options),
    )


@dataclass(frozen=True)
class _Class:
    """A class in the file that defines it."""

    node: ast.ClassDef
    file: _File


class _File:
    """A parsed module; names are followed through its imports without importing anything."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
            self.tree = ast.parse(text)
        except (OSError, SyntaxError, UnicodeDecodeError) as error:
            raise DataError(f"cannot be read ({error})", path=path) from error
        self.comments = _comments(text)

    def find(self, expression: ast.expr | None) -> _Class | None:
        """The class that `Name` or `module.Name` stands for; None where that cannot be told."""
        if isinstance(expression, ast.Name):
            return self.named(expression.id)
        if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
            module = self._module(expression.value.id)
            return module.named(expression.attr) if module else None
        return None

    def named(self, name: str) -> _Class | None:
        """The class of this name that the module defines or imports."""
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return _Class(node, self)
        for line, alias in self._imports():
            if (alias.asname or alias.name) == name:
                file = self._open(line.module or "", line.level)
                return file.named(alias.name) if file else None
        return None

    def _imports(self) -> Iterator[tuple[ast.ImportFrom, ast.alias]]:
        for node in ast.walk(self.tree):  # also below `if TYPE_CHECKING`
            if isinstance(node, ast.ImportFrom):
                yield from ((node, alias) for alias in node.names)

    def _module(self, name: str) -> _File | None:
        """The module that a name of this one stands for, as in `from wsal_bench import api`."""
        for line, alias in self._imports():
            if (alias.asname or alias.name) == name:
                return self._open(f"{line.module}.{alias.name}", line.level)
        return None

    def _open(self, module: str, level: int) -> _File | None:
        path = find_source(module) if not level else None
        if level:
            place = self.path.parents[level - 1].joinpath(*module.split("."))
            path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        return _File(path) if path is not None and path.suffix == ".py" else None


def read_method_options(path: Path | None) -> list[Option]:
    """All options of a method, inherited ones too, without importing it.

    Args:
        path: of its file; None: it could not be found, nor its options.

    Raises:
        DataError: a file cannot be read.
    """
    if path is None:
        return []
    method = _File(path).named("Method")
    config = _config_of(method) if method else None
    if config is None:
        return []
    return [
        option if owner == config.node else replace(option, inherited=owner.name)
        for option, owner in _all_options(config).values()
    ]


def _config_of(method: _Class) -> _Class | None:
    """What a class calls `Config`, or the first of its bases that has one."""
    for node in method.node.body:
        if isinstance(node, ast.ClassDef) and node.name == "Config":
            return _Class(node, method.file)
        goals = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and any(
            isinstance(goal, ast.Name) and goal.id == "Config" for goal in goals
        ):
            return method.file.find(node.value)
    bases = (method.file.find(base) for base in method.node.bases)
    return next((found for base in bases if base and (found := _config_of(base))), None)


def _all_options(config: _Class) -> dict[str, tuple[Option, ast.ClassDef]]:
    """By name, each with the class that has the last word on it; inherited ones first."""
    found: dict[str, tuple[Option, ast.ClassDef]] = {}
    for expression in reversed(config.node.bases):
        base = config.file.find(expression)
        # the base of them all has no options, only what pydantic is told
        if base is not None and base.node.name != "BaseModel" and base.file.path != _ROOT:
            found |= _all_options(base)
    for option in _options(config.node, config.file.comments):
        found[option.name] = (option, config.node)
    return found


def _options(node: ast.ClassDef, comments: Mapping[int, str]) -> list[Option]:
    found = []
    code = {line for item in node.body for line in range(item.lineno, (item.end_lineno or 0) + 1)}
    own_lines = {line: text for line, text in comments.items() if line not in code}
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            found.append(
                Option(
                    name=item.target.id,
                    kind=ast.unparse(item.annotation),
                    default=ast.unparse(item.value) if item.value else "",
                    comment=comments.get(item.end_lineno or item.lineno) or _above(item, own_lines),
                )
            )
    return found


def _above(item: ast.stmt, comments: Mapping[int, str]) -> str:
    """The block of comment lines that ends above a statement."""
    first = item.lineno
    while first - 1 in comments:
        first -= 1
    return " ".join(comments[line] for line in range(first, item.lineno))


def _comments(text: str) -> dict[int, str]:
    """Comments by line number."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }

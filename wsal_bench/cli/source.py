"""What a plugin's source says of its options, without importing it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wsal_bench.errors import DataError


@dataclass(frozen=True)
class Option:
    """One option of a plugin, as its source has it.

    Args:
        name: on the command line.
        kind: its annotation.
        default: the expression of its default; empty: it must be given.
        comment: what stands behind it in its line, or in lines of its own above it; mostly the
            source of the value.
    """

    name: str
    kind: str
    default: str
    comment: str


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
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read ({error})", path=path) from error
    comments = _comments(text)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    options = [
        option
        for node in classes
        if node.name.endswith("Config")
        for option in _options(node, comments)
    ]
    return Source(
        docstring=ast.get_docstring(tree) or "",
        options=tuple(options),
    )


def _options(node: ast.ClassDef, comments: Mapping[int, str]) -> list[Option]:
    found = []
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            found.append(
                Option(
                    name=item.target.id,
                    kind=ast.unparse(item.annotation),
                    default=ast.unparse(item.value) if item.value else "",
                    comment=comments.get(item.end_lineno or item.lineno) or _above(item, comments),
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

"""What goes to stdout, stderr and files: one document, tables, or lines of progress."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.together import write_together

if TYPE_CHECKING:
    from wsal_bench.running.results import Contents

FORMATS = ("md", "csv", "json", "latex")
_ENDINGS: Mapping[str, str] = {"latex": "tex"}


def document(schema: str, key: str, content: Any) -> str:
    """One JSON document: sorted keys, null where a number is not finite."""
    return json.dumps(
        {"schema": schema, key: plain_values(content)},
        sort_keys=True,
        allow_nan=False,
        ensure_ascii=False,
        indent=2,
    )


def plain_values(value: Any) -> Any:
    """The same value in what JSON has: NaN and infinities become None, paths become texts."""
    if isinstance(value, Mapping):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items: Sequence[Any] = sorted(value) if isinstance(value, (set, frozenset)) else value
        return [plain_values(item) for item in items]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value


def show(form: str | None, forms: Mapping[str, str], for_eyes: Callable[[int, bool], str]) -> None:
    """Prints a page: for eyes on a terminal, markdown elsewhere, or the form that is asked for.

    Args:
        form: what `--format` named; None or `all`: nothing in particular.
        forms: text by form.
        for_eyes: the page for a terminal of so many places, with or without bold text.
    """
    if form not in (None, "all"):
        click.echo(forms[str(form)], nl=False)
    elif is_terminal(sys.stdout):
        width = shutil.get_terminal_size((80, 24)).columns
        click.echo(for_eyes(width, colour(sys.stdout)), nl=False)
    else:
        click.echo(forms[FORMATS[0]], nl=False)


def columns_of(
    wide: bool, named: tuple[str, ...] | None, known: Sequence[str], every: Sequence[str]
) -> Sequence[str] | None:
    """Columns of a table; None: the usual ones.

    Args:
        wide: `--wide`.
        named: by `--columns`.
        known: what columns may be called.
        every: the columns of a wide table.

    Raises:
        UsageError: no column has that name, or both options are given.
    """
    if wide and named:
        raise UsageError("--wide shows all columns, --columns some", hint="give one of them")
    for name in named or ():
        if name not in known:
            hint = did_you_mean(name, known, kind="columns")
            raise UsageError(f"no column {name!r}", hint=hint)
    return every if wide else named


def warn(message: str) -> None:
    """A line on stderr that something is not as it should be."""
    from wsal_bench.report.escaping import for_terminal  # not needed for --help

    click.echo(
        f"{click.style('warning', fg='yellow') if colour(sys.stderr) else 'warning'}: "
        f"{for_terminal(message)}",
        err=True,
    )


def tell_damage(store: Contents) -> None:
    """Folders of a store that are in no table, each by name, and how many records are damaged."""
    for path in store.strays:
        warn(f"{path}: ignored, no run made this folder")
    for problem in store.problems:
        warn(f"{problem.directory}: left out, {problem.message}")
    if number := len(store.problems):
        records = "damaged record is" if number == 1 else "damaged records are"
        note(f"{number} {records} left out")


def note(message: str = "") -> None:
    """A line on stderr."""
    from wsal_bench.report.escaping import for_terminal  # not needed for --help

    click.echo(for_terminal(message), err=True)


def colour(stream: Any) -> bool:
    """Whether a stream is a terminal that wants colours (NO_COLOR: it does not)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def is_terminal(stream: Any) -> bool:
    """Whether somebody looks at it."""
    return bool(stream.isatty())


def named_forms(stem: str, forms: Mapping[str, str], wanted: str) -> dict[str, bytes]:
    """Contents by file name: `<stem>.md`, `.csv`, `.json`, `.tex`, or the one that is wanted.

    Args:
        stem: of the files' names.
        forms: text by form.
        wanted: a form, or `all`.
    """
    return {
        f"{stem}.{_ENDINGS.get(form, form)}": text.encode()
        for form, text in forms.items()
        if wanted in (form, "all")
    }


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Replaces files of a folder, all or none, and says so.

    Args:
        folder: is made where it is not there.
        contents: by name.

    Raises:
        DataError: a file cannot be written.
    """
    if contents:
        write_together(folder, contents)
    for name in contents:
        note(f"wrote {folder / name}")

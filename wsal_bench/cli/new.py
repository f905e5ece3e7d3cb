"""`wsal-bench new`: a commented method or data set that runs, to be changed into one's own."""

from __future__ import annotations

import keyword
import re
import shlex
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from wsal_bench import plugins
from wsal_bench.cli.lazy import Entry, LazyGroup
from wsal_bench.cli.options import json_option
from wsal_bench.cli.output import document
from wsal_bench.errors import DataError, UsageError
from wsal_bench.files import make_folder, write_text

SCHEMA = "wsal-bench/new/1"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST: Final = 60


class Group(LazyGroup):
    """The kinds."""

    prefix = "new "
    table = MappingProxyType(
        {
            "method": Entry("new:method", "A method with gradients: network, loss, description."),
            "dataset": Entry("new:dataset", "A data set: videos, labels, truth."),
        }
    )


@click.group("new", cls=Group)
def new() -> None:
    """Write a commented file that runs and conforms: the beginning of your own."""


_FOLDER = click.option(
    "--plugins",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("mine"),
    show_default="./mine",
    help="Folder of your plugins; the file goes into its methods/ or datasets/.",
)


@click.command("method")
@click.argument("name")
@_FOLDER
@json_option
def method(name: str, folder: Path, as_json: bool) -> None:
    """Write DIR/methods/NAME.py, a method that learns by gradient descent."""
    _write("methods", name, folder, as_json)


@click.command("dataset")
@click.argument("name")
@_FOLDER
@json_option
def dataset(name: str, folder: Path, as_json: bool) -> None:
    """Write DIR/datasets/NAME.py, a data set that is made up."""
    _write("datasets", name, folder, as_json)


def _write(kind: plugins.Kind, text: str, folder: Path, as_json: bool) -> None:
    name = _checked(kind, text)
    path = folder / kind / f"{name.replace('-', '_')}.py"
    for taken in (path, path.with_suffix("")):
        if taken.exists():
            hint = "name another one, or another folder with --plugins"
            raise DataError("is there already, and nothing is overwritten", hint=hint, path=taken)
    make_folder(path.parent)
    write_text(path, _content(kind, name, folder))
    commands = _next(kind, name, folder)
    if as_json:
        click.echo(document(SCHEMA, "data", {"name": name, "path": path, "next": commands}))
        return
    click.echo(f"wrote {path}; it runs as it is:")
    click.echo("\n".join(commands))


def _checked(kind: plugins.Kind, text: str) -> str:
    """The name, with - for _.

    Raises:
        UsageError: it can be no name, or stands for something already.
    """
    name = text.replace("_", "-")
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > _LONGEST:
        near = "-".join(re.findall(r"[a-z0-9]+", text.removesuffix(".py").lower()))
        near = (f"my-{near}" if near[:1].isdecimal() else near)[:_LONGEST].strip("-")
        possible = bool(near) and not keyword.iskeyword(near)
        raise UsageError(
            f"{text!r} can be no name of a plugin: that is words of a-z and 0-9 with - between "
            f"them, begins with a letter, has at most {_LONGEST} letters and is no word of Python",
            hint=f"did you mean {near!r}?" if possible else "my-idea would be one",
        )
    known = plugins.available(kind)
    if name in known:
        raise UsageError(f"there is {name!r} already, in {known[name].origin}")
    groups = {group for plugin in known.values() for group in plugin.groups}
    if kind == "methods" and name in groups | {"floor", "ceiling", plugins.EVERY}:
        raise UsageError(f"{name!r} stands for something else where methods are named")
    return name


def _content(kind: plugins.Kind, name: str, folder: Path) -> str:
    template = "method.txt" if kind == "methods" else "dataset.txt"
    content = files("wsal_bench.cli").joinpath("templates", template).read_text(encoding="utf-8")
    place = shlex.quote(str(folder))
    if not place.isprintable() or {*place} & {'"', "\\"}:  # not what a docstring can hold
        place = "DIR"
    words = {"NAME": name, "TITLE": name.replace("-", " ").capitalize(), "FOLDER": place}
    for word, value in words.items():
        content = content.replace(f"@{word}@", value)
    return content


def _next(kind: plugins.Kind, name: str, folder: Path) -> list[str]:
    what = f"--methods {name},mil" if kind == "methods" else f"--datasets {name} --methods mil"
    place = shlex.quote(str(folder))
    return [
        f"wsal-bench doctor --plugins {place} --check {name}",
        f"wsal-bench run --plugins {place} {what} --quick",
    ]

"""Options that several commands share, and the values that they read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import click

MAX_SEEDS = 1000  # a range with a digit too many is a mistake, not a wish

Command = TypeVar("Command", bound=Callable[..., Any])


class SeedsType(click.ParamType[tuple[int, ...]]):
    """`0,1,2`, `0-2` or both; each seed once, in the order given."""

    name = "seeds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers that a text stands for."""
        if isinstance(value, tuple):
            return value
        if not str(value).strip():
            self.fail(f"{value!r} names nothing; write 0,1,2 or 0-2")
        seeds: dict[int, None] = {}
        for part in str(value).split(","):
            first, dash, last = part.strip().partition("-")
            if not (first.isdecimal() and (last.isdecimal() or not dash)):
                self.fail(f"{part.strip()!r} in {value!r} is no seed; write 0,1,2 or 0-2")
            low, high = int(first), int(last or first)
            if high < low or high - low >= MAX_SEEDS:
                self.fail(f"{part.strip()!r} is no range of 1 to {MAX_SEEDS} seeds")
            seeds.update(dict.fromkeys(range(low, high + 1)))
        return tuple(seeds)


class NamesType(click.ParamType[tuple[str, ...]]):
    """`a,b,c`; empty parts are left out."""

    name = "names"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names that a text stands for."""
        if isinstance(value, tuple):
            return value
        names = tuple(part.strip() for part in str(value).split(",") if part.strip())
        if not names:
            self.fail(f"{value!r} names nothing")
        return names


class TiousType(click.ParamType[tuple[float, ...]]):
    """`0.3,0.5,0.7`."""

    name = "tious"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """The thresholds that a text stands for."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} are no tIoU thresholds; write 0.3,0.5,0.7")


class DeviceType(click.ParamType[str]):
    """`auto`, `cpu`, `cuda` or `cuda:N`."""

    name = "device"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The same text, checked for its form."""
        kind, colon, index = str(value).partition(":")
        if kind in ("auto", "cpu") and not colon:
            return kind
        if kind == "cuda" and (index.isdecimal() or not colon):
            return str(value)
        return self.fail(f"{value!r} is no device; write auto, cpu, cuda or cuda:N")


class SinceType(click.ParamType[datetime]):
    """A day or time (`2026-01-31`, `2026-01-31T12:00`), or how long ago: `30m`, `2h`, `3d`."""

    name = "when"
    _UNITS: ClassVar[Mapping[str, str]] = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The moment that a text stands for; without a zone it is local time."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            if text[:-1].isdecimal() and text[-1:] in self._UNITS:
                ago = timedelta(**{self._UNITS[text[-1]]: int(text[:-1])})
                return datetime.now(timezone.utc) - ago
            return datetime.fromisoformat(text).astimezone()
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write 2026-01-31, 2026-01-31T12:00, 30m, 2h or 3d")


class _Amount(click.ParamType[float]):
    """A positive number with a unit."""

    _UNITS: ClassVar[Mapping[str, float]]
    _EXAMPLES: ClassVar[str]

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number that a text stands for, in the smallest unit."""
        if isinstance(value, (int, float)):
            return value
        text = str(value).strip().lower()
        unit = text.lstrip("0123456789.")
        number = text.removesuffix(unit) if unit else text
        if unit in self._UNITS and number.count(".") <= 1 and number.strip("."):
            amount = float(number) * self._UNITS[unit]
            if amount > 0:
                return amount
        return self.fail(f"{value!r} is no {self.name}; write {self._EXAMPLES}")


class DurationType(_Amount):
    """Seconds, or `90s`, `10m`, `2h`."""

    name = "duration"
    _UNITS = MappingProxyType({"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0})
    _EXAMPLES = "90, 90s, 10m or 2h"


class SizeType(_Amount):
    """Bytes of memory: `512M`, `4G`; units are powers of 1024."""

    name = "size"
    _UNITS = MappingProxyType({"k": 2.0**10, "m": 2.0**20, "g": 2.0**30, "t": 2.0**40})
    _EXAMPLES = "512M or 4G"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The bytes that a text stands for."""
        return int(super().convert(value, param, ctx))


class Renamed(click.Option):
    """An option that also goes by spellings of older versions, which the help does not show.

    Args:
        former: the older spellings.
    """

    def __init__(self, *arguments: Any, former: Sequence[str], **extra: Any) -> None:
        super().__init__(*arguments, **extra)
        self.former = [*former]

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Registers all spellings."""
        shown = self.opts
        self.opts = [*shown, *self.former]
        try:
            super().add_to_parser(parser, ctx)
        finally:
            self.opts = shown


def plot_option(text: str) -> Callable[[Command], Command]:
    """`--plot DIR`; the pictures' folder was `--out` where nothing else is written.

    Args:
        text: what is drawn.
    """
    return click.option(
        "--plot",
        cls=Renamed,
        former=("--out",),
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help=text,
    )


def dataset_option(text: str) -> Callable[[Command], Command]:
    """`--datasets NAME` where rules of one data set are meant.

    Args:
        text: what it decides.
    """
    return click.option(
        "--datasets",
        "dataset",
        cls=Renamed,
        former=("--dataset",),
        metavar="NAME",
        callback=_one_dataset,
        help=text,
    )


def _one_dataset(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuses several, and a published one in another case: it would be another data set."""
    from wsal_bench.evaluation import names

    if value is None:
        return None
    published = {name.partition("/")[0] for name in names()}
    if "," in value or not value.strip():
        raise click.BadParameter(f"{value!r} is not one data set")
    if value not in published and value.lower() in published:
        raise click.BadParameter(f"no data set {value!r}; did you mean {value.lower()!r}?")
    return value


def recipe_option(text: str, default: str | None = "own") -> Callable[[Command], Command]:
    """`--recipe NAME`; an older spelling of a recipe becomes today's.

    Args:
        text: what it decides.
        default: the recipe where none is named.
    """
    return click.option(
        "--recipe", default=default, show_default=True, callback=_recipe_spelled, help=text
    )


def _recipe_spelled(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    from wsal_bench.localization.preset import spelled

    return None if value is None else spelled(value)


def results_option(command: Command) -> Command:
    """`--results DIR`."""
    return click.option(
        "--results",
        type=click.Path(path_type=Path),
        envvar="WSAL_BENCH_RESULTS",
        default=Path("results"),
        show_default="./results",
        show_envvar=True,
        help="Folder of the runs.",
    )(command)


def plugins_option(command: Command) -> Command:
    """`--plugins DIR`; takes effect before anything reads a plugin."""
    return click.option(
        "--plugins",
        type=click.Path(path_type=Path),
        multiple=True,
        is_eager=True,
        expose_value=False,
        callback=_use_plugins,
        help="Folder with methods/ and datasets/ of your own; repeatable.",
    )(command)


def data_root_option(command: Command) -> Command:
    """`--data-root DIR`; takes effect before any data set is opened."""
    return click.option(
        "--data-root",
        type=click.Path(path_type=Path, file_okay=False),
        is_eager=True,
        expose_value=False,
        callback=_use_data_root,
        help="Folder of imported data sets; else WSAL_BENCH_DATA, else the user's data folder.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def columns_options(command: Command) -> Command:
    """`--columns` and `--wide`."""
    for option in (
        click.option("--wide", is_flag=True, help="All columns."),
        click.option(
            "--columns",
            type=NamesType(),
            help="These columns: a,b,c; a name that is none lists what there is.",
        ),
    ):
        command = option(command)
    return command


def tious_option(command: Command) -> Command:
    """`--tious`."""
    return click.option(
        "--tious", type=TiousType(), help="tIoU thresholds; by default those of the protocol."
    )(command)


def _use_plugins(ctx: click.Context, param: click.Parameter, value: tuple[Path, ...]) -> None:
    from wsal_bench.plugins import PLUGIN_FOLDERS  # not needed for --help

    if value:
        before = os.environ.get(PLUGIN_FOLDERS)
        folders = [*map(str, value), *([before] if before else [])]
        os.environ[PLUGIN_FOLDERS] = os.pathsep.join(folders)
        # the root is closed even where the command line turns out to be wrong
        ctx.find_root().call_on_close(lambda: _restore(PLUGIN_FOLDERS, before))


def _use_data_root(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    from wsal_bench.data.places import VARIABLE

    if value is not None:
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = str(value.expanduser().resolve())
        ctx.find_root().call_on_close(lambda: _restore(VARIABLE, before))


def _restore(variable: str, before: str | None) -> None:
    """The variable is for this command and the processes that it starts, not for the next."""
    if before is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = before

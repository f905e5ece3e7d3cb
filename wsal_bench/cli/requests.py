"""The options of everything that trains, and the request that they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from wsal_bench.cli.options import (
    DeviceType,
    DurationType,
    NamesType,
    SeedsType,
    SizeType,
    data_root_option,
    json_option,
    plugins_option,
    recipe_option,
    results_option,
)
from wsal_bench.running.cells import Precision, RunRequest

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class TrainingOptions:
    """What the shared options were given, before it is known which methods run."""

    datasets: tuple[str, ...]
    seeds: tuple[int, ...]
    data_seeds: tuple[int, ...]
    sets: tuple[str, ...]
    config_file: Path | None
    protocol: str | None
    recipe: str
    preset: str | None
    device: str
    precision: Precision
    threads: int
    jobs: int
    num_workers: int
    quick: bool
    overwrite: bool
    in_process: bool
    cell_timeout: float | None
    cell_memory: int | None
    results: Path

    def request(
        self, methods: tuple[str, ...], *, sets: tuple[str, ...] = (), floors: bool = True
    ) -> RunRequest:
        """The request for some methods.

        Args:
            methods: names, variants, groups, patterns.
            sets: further `--set`, beside those given.
            floors: with the reference rows.
        """
        values = {**vars(self), "sets": (*self.sets, *sets)}
        return RunRequest(methods=methods, floors=floors, **values)


def training_options(command: Command) -> Command:
    """All options of `RunRequest` but the methods, and `--plugins` and `--json`."""
    command = results_option(data_root_option(plugins_option(json_option(command))))
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--datasets",
        type=NamesType(),
        default="simulated",
        show_default=True,
        help="Names, or folder:PATH.",
    ),
    click.option(
        "--seeds", type=SeedsType(), default="0", show_default=True, help="As in 0,1,2 or 0-2."
    ),
    click.option(
        "--data-seeds",
        type=SeedsType(),
        default="0",
        show_default=True,
        help="For data that are drawn from a seed.",
    ),
    click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="NAME[:VARIANT].KEY=VALUE",
        help="An option of a method or data set; repeatable.",
    ),
    click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        help="YAML of options by name; --set is stronger.",
    ),
    click.option("--protocol", help="Rules of the scores; by default <dataset>/common."),
    recipe_option("own, or one of `list recipes`."),
    click.option("--preset", help="By default the one that the data set names."),
    click.option(
        "--device", type=DeviceType(), default="auto", show_default=True, help="cpu, cuda, cuda:1"
    ),
    click.option(
        "--precision", type=click.Choice(("fp32", "bf16")), default="fp32", show_default=True
    ),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="CPU threads of each cell; other numbers give other weights.",
    ),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Cells that run at once.",
    ),
    click.option(
        "--num-workers",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Threads of each cell that read coming batches; the numbers stay the same.",
    ),
    click.option("--quick", is_flag=True, help="A small version of everything; it ranks nothing."),
    click.option("--overwrite", is_flag=True, help="Do finished cells again."),
    click.option(
        "--in-process",
        is_flag=True,
        help="Train in this process; a crash of a method then ends the run.",
    ),
    click.option(
        "--cell-timeout",
        type=DurationType(),
        help="End a cell that learns and infers for longer: 90, 90s, 10m, 2h. It has failed, the "
        "others go on. No number depends on it.",
    ),
    click.option(
        "--cell-memory",
        type=SizeType(),
        help="End a cell whose method holds more memory: 512M, 4G. Watched ten times a second "
        "(resident and swapped out, without mapped files and the GPU's); Linux only.",
    ),
)

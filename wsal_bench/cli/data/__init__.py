"""`wsal-bench data`: bring data sets in, check them, look at them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

import click

from wsal_bench.errors import UsageError, did_you_mean

# name -> file of this folder and command in it, and its line in the help
COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "import": "Check features and truth and write them as one compact data set.",
        "validate": "List everything that is wrong with features and truth.",
        "stats": "What a data set is like, and what its labels can tell.",
        "path": "Where an imported data set lies.",
        "template": "A small example to fill with your own.",
    }
)


class Group(click.Group):
    """Loads a subcommand's file when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of use."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of that name; imports its file."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"wsal_bench.cli.data.{cmd_name}_")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The subcommand that the arguments name.

        Raises:
            UsageError: there is none of that name.
        """
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UsageError(f"no command 'data {args[0]}'", hint=did_you_mean(args[0], COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of subcommands; imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


@click.group("data", cls=Group)
def data() -> None:
    """Bring data sets in, check them, look at them."""

"""A group of commands that knows names and summaries, and loads a command's file when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar

import click

from wsal_bench.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Entry:
    """Where a command stands, and its line in the help.

    Args:
        target: `module:name`, below wsal_bench.cli.
        summary: a sentence.
    """

    target: str
    summary: str


class HelpfulGroup(click.Group):
    """A group that says what there is where no command is named; exit code 0."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Nothing at all means `--help`."""
        return super().parse_args(ctx, args or ["--help"])


class LazyGroup(HelpfulGroup):
    """Commands by name, in the order of their table; subclasses name it."""

    table: ClassVar[Mapping[str, Entry]] = {}
    prefix: ClassVar[str] = ""
    """What a user types before a command's name, in the message about an unknown one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of use."""
        return [*self.table]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; imports its file."""
        if cmd_name not in self.table:
            return None
        module, _, name = self.table[cmd_name].target.partition(":")
        command = getattr(import_module(f"wsal_bench.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name.

        Raises:
            UsageError: there is none of that name.
        """
        if args and args[0] not in self.table and not args[0].startswith("-"):
            hint = did_you_mean(args[0], self.table)
            raise UsageError(f"no command '{self.prefix}{args[0]}'", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands; imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.table.items()])

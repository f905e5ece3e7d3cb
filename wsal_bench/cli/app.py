"""The group of commands: a table of names, each file loaded when its command runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, NoReturn

import click

from wsal_bench.cli.failures import Boundary
from wsal_bench.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Entry:
    """Where a command stands, and its line in the help."""

    target: str
    summary: str


COMMANDS: Final[Mapping[str, Entry]] = MappingProxyType(
    {
        "run": Entry("run:run", "Train, localize and score methods on data sets."),
        "list": Entry("listing:list_", "Names: methods, datasets, protocols, recipes, runs."),
        "show": Entry("show:show", "All about one run, method, data set or protocol."),
        "leaderboard": Entry("leaderboard:leaderboard", "The table of the stored runs."),
        "ablate": Entry("ablate:ablate", "What each part of a method is worth."),
        "eval": Entry("scoring:eval_", "Score a file of detections."),
        "rescore": Entry("rescore:rescore_", "The same detections under every protocol."),
        "audit": Entry("audit:audit_", "What the difference of two numbers is made of."),
        "infer": Entry("infer:infer", "Segments for new videos, with a stored run."),
        "profile": Entry("profile:profile", "Where the time goes: kernels, training steps."),
        "data": Entry("data:data", "Bring data sets in, check them, look at them."),
        "doctor": Entry("doctor:doctor", "Check this installation and its plugins."),
    }
)


class App(click.Group):
    """Loads a command's file when it is needed, and turns every failure into one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of use."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; imports its file."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].target.partition(":")
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
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS)
            raise UsageError(f"no command {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands; imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Runs one command and exits with the code that its outcome has."""
        arguments = list(sys.argv[1:] if args is None else args)
        boundary = Boundary(arguments)
        with boundary:
            extra["standalone_mode"] = False
            result = super().main(arguments, prog_name or "wsal-bench", **extra)
            sys.stdout.flush()
            boundary.code = result if isinstance(result, int) else 0
        sys.exit(boundary.code)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; a reader that went away is no failure, and click would call it one."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_output()
            return 0
        return result


def _discard_output() -> None:
    """Points stdout at nothing, so that the flush at exit does not fail once more."""
    import os

    try:
        stdout = sys.stdout.fileno()
    except OSError:  # not a file, as in a test
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stdout)
    os.close(nothing)


@click.command(
    "wsal-bench",
    cls=App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Results go to stdout, progress and warnings to stderr. Exit codes: 0 done, 1 internal, "
    "2 names and values, 3 data and files, 4 some cells failed, 5 a check failed, "
    "6 a device or an extra is missing, 130 and 143 interrupted.",
)
@click.version_option(
    package_name="wsal-bench", prog_name="wsal-bench", message="%(prog)s %(version)s"
)
@click.option("--debug", is_flag=True, help="Print the traceback of a failure.")
def app(debug: bool) -> None:
    """Benchmark of weakly-supervised temporal action localization."""
    del debug  # read by the boundary from the arguments: it also serves where parsing fails

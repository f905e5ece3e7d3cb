"""The group of commands: a table of names, each file loaded when its command runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NoReturn

import click

from wsal_bench.cli.failures import Boundary
from wsal_bench.cli.lazy import Entry, LazyGroup
from wsal_bench.cli.streams import open_closed_ones, past_click

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
        "power": Entry("power:power", "Which difference a design can find."),
        "infer": Entry("infer:infer", "Segments for new videos, with a stored run."),
        "results": Entry("results:results_", "Check and repair a folder of runs."),
        "profile": Entry("profile:profile", "Where the time goes: kernels, training steps."),
        "data": Entry("data:data", "Bring data sets in, check them, look at them."),
        "new": Entry("new:new", "A commented method or data set that runs, to make your own."),
        "doctor": Entry("doctor:doctor", "Check this installation and its plugins."),
    }
)


class App(LazyGroup):
    """All commands; turns every failure into one sentence."""

    table = COMMANDS

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Runs one command and exits with the code that its outcome has."""
        arguments = list(sys.argv[1:] if args is None else args)
        if arguments[:1] == ["help"]:
            arguments = [*arguments[1:], "--help"]
        open_closed_ones()
        boundary = Boundary(arguments)
        with boundary:
            extra["standalone_mode"] = False
            result = super().main(arguments, prog_name or "wsal-bench", **extra)
            boundary.code = result if isinstance(result, int) else 0
        sys.exit(boundary.code)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Reads the command line, which may print help already."""
        with past_click():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        with past_click():
            return super().invoke(ctx)


@click.command(
    "wsal-bench",
    cls=App,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`help COMMAND` is COMMAND --help. "
    "Results go to stdout, progress and warnings to stderr. Exit codes: 0 done, 1 internal, "
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

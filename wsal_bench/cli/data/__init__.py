"""`wsal-bench data`: bring data sets in, check them, look at them."""

from __future__ import annotations

from types import MappingProxyType

import click

from wsal_bench.cli.lazy import Entry, LazyGroup


class Group(LazyGroup):
    """The subcommands."""

    prefix = "data "
    table = MappingProxyType(
        {
            "import": Entry(
                "data.import_:command",
                "Check features and truth and write them as one compact data set.",
            ),
            "validate": Entry(
                "data.validate_:command", "List everything that is wrong with features and truth."
            ),
            "stats": Entry(
                "data.stats_:command", "What a data set is like, and what its labels can tell."
            ),
            "path": Entry("data.path_:command", "Where an imported data set lies."),
            "template": Entry("data.template_:command", "A small example to fill with your own."),
        }
    )


@click.group("data", cls=Group)
def data() -> None:
    """Bring data sets in, check them, look at them."""

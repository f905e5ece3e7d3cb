"""`--diagnose` of `eval` and `show`: its options, and what they print and draw."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wsal_bench.cli.options import plot_option, recipe_option
from wsal_bench.cli.output import document, note
from wsal_bench.errors import UsageError

if TYPE_CHECKING:
    from wsal_bench.evaluation.diagnosis import Options
    from wsal_bench.evaluation.scores import Scores
    from wsal_bench.types import Detections, GroundTruth

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class DiagnosisChoice:
    """What the options of a diagnosis were given.

    Args:
        wanted: `--diagnose`.
        plot: `--plot`.
        buckets: `--buckets`.
        equal_tiou: `--equal-tiou`.
        diving_rule: `--diving-rule`, of runs only.
        recipe: `--recipe`, of runs only.
        protocol: `--protocol`, of runs only.
    """

    wanted: bool
    plot: Path | None
    buckets: str | None
    equal_tiou: str | None
    diving_rule: bool = False
    recipe: str | None = None
    protocol: str | None = None

    def check(self) -> None:
        """Refuses options that would have no effect.

        Raises:
            UsageError: one is there without `--diagnose`.
        """
        given = {
            "--plot": self.plot,
            "--buckets": self.buckets,
            "--equal-tiou": self.equal_tiou,
            "--diving-rule": self.diving_rule or None,
            "--recipe": self.recipe,
            "--protocol": self.protocol,
        }
        named = [name for name, value in given.items() if value is not None]
        if named and not self.wanted:
            raise UsageError(f"{', '.join(named)} without --diagnose", hint="add --diagnose")

    def options(self) -> Options:
        """The same as the evaluator understands it."""
        from wsal_bench.evaluation.diagnosis import Options

        # click has checked both against the choices
        chosen: dict[str, Any] = {"buckets": self.buckets, "diving_rule": self.diving_rule}
        return Options(equal_tiou=self.equal_tiou or "first", **chosen)  # type: ignore[arg-type]


def diagnosis_options(command: Command) -> Command:
    """`--diagnose` and what goes with it; `choice` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def run_diagnosis_options(command: Command) -> Command:
    """What only runs have: which of their scores, and rules for their activations."""
    for option in reversed(list(_OF_RUNS.values())):
        command = option(command)
    return command


def choice(values: dict[str, Any]) -> DiagnosisChoice:
    """Takes the options of a diagnosis out of a command's arguments, and checks them.

    Raises:
        UsageError: one is there without `--diagnose`.
    """
    found = DiagnosisChoice(
        wanted=values.pop("diagnose"),
        plot=values.pop("plot"),
        buckets=values.pop("buckets"),
        equal_tiou=values.pop("equal_tiou"),
        **{name: values.pop(name) for name in _OF_RUNS if name in values},
    )
    found.check()
    return found


def refuse_diagnosis_only(values: Mapping[str, Any]) -> None:
    """Refuses what only a diagnosis reads, for reports that share its other options.

    Raises:
        UsageError: one is there.
    """
    flags = {"--buckets": "buckets", "--equal-tiou": "equal_tiou", "--diving-rule": "diving_rule"}
    named = [flag for flag, name in flags.items() if values[name]]
    if named:
        raise UsageError(f"{', '.join(named)} without --diagnose", hint="leave it out")


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--diagnose", is_flag=True, help="Say where the errors come from."),
    plot_option("With --diagnose (of a run also --video): folder for the pictures, SVG and PNG."),
    click.option(
        "--buckets",
        type=click.Choice(("thumos14", "activitynet", "quantile")),
        help="With --diagnose: steps of length, coverage, instances; by default the data set's.",
    ),
    click.option(
        "--equal-tiou",
        type=click.Choice(("first", "label")),
        help="With --diagnose: of truths that overlap alike, the first in the file judges (DETAD; "
        "the default), or one of the detection's label.",
    ),
)


_OF_RUNS: Mapping[str, Callable[[Any], Any]] = {
    "diving_rule": click.option(
        "--diving-rule",
        is_flag=True,
        help="With --diagnose: a video's score of Diving is at least that of CliffDiving.",
    ),
    "recipe": recipe_option(
        "With --diagnose or --video: which scores; by default own.", default=None
    ),
    "protocol": click.option("--protocol", help="With --diagnose or --video: which scores."),
}


def diagnose_files(
    truth: GroundTruth, detections: Detections, scores: Scores, chosen: DiagnosisChoice
) -> dict[str, Any]:
    """The diagnosis of detections from a file.

    Raises:
        UsageError: a protocol that cannot be diagnosed.
    """
    from wsal_bench.evaluation.diagnosis import diagnose

    return {
        **diagnose(truth, detections, scores, chosen.options()).to_json(),
        "oracle_recipe": None,
    }


def diagnose_stored(name: str, results: Path, chosen: DiagnosisChoice) -> dict[str, Any]:
    """The full diagnosis of a stored run, with the oracle recipe.

    Raises:
        UsageError: no run of that name, it failed, or has no such scores.
        DataError: its files or data cannot be read.
    """
    from wsal_bench.running.diagnosing import diagnose_run
    from wsal_bench.running.lookup import one_run

    directory = one_run(results, name).directory

    def report(done: int, number: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == number else ""
            click.echo(f"\rrecipe {done} of {number}{end}", nl=False, err=True)

    return diagnose_run(directory, chosen.options(), chosen.recipe, chosen.protocol, report)


def show_diagnosis(data: Mapping[str, Any], chosen: DiagnosisChoice, *, as_json: bool) -> None:
    """Prints a diagnosis, and draws it where a folder was named.

    Raises:
        DataError: a picture cannot be written.
    """
    from wsal_bench.evaluation.diagnosis import SCHEMA
    from wsal_bench.report.diagnosis import to_text

    if chosen.plot is not None:
        from wsal_bench.report.diagnosis_plots import write_plots

        for path in write_plots(data, chosen.plot):
            note(f"wrote {path}")
    click.echo(document(SCHEMA, "data", data) if as_json else to_text(data))

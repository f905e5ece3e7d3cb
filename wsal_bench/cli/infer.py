"""`wsal-bench infer`: segments for videos that nobody labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsal_bench.cli.counting import Counting
from wsal_bench.cli.options import (
    DeviceType,
    data_root_option,
    json_option,
    plugins_option,
    recipe_option,
    results_option,
)
from wsal_bench.cli.output import document, note, warn
from wsal_bench.errors import DataError, UsageError
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.timegrid import TimeGrid

if TYPE_CHECKING:
    from wsal_bench.inference.feature_files import FeaturePath
    from wsal_bench.inference.stream import Choice
    from wsal_bench.inference.trained import Trained
    from wsal_bench.inference.truth import Known

SCHEMA = "wsal-bench/infer/1"
_FORMS = ("json", "csv", "elan", "activitynet", "via")


@dataclass(frozen=True)
class Request:
    """What the options were given; named as they are."""

    checkpoint: str
    fps: float | None
    stride: float | None
    recipe: str
    top_k: int | None
    threshold: float | None
    form: str | None
    out: str
    plot: Path | None
    truth: Path | None
    subset: str | None
    tiou: float | None
    device: str
    threads: int | None
    results: Path
    as_json: bool

    def check(self) -> None:
        """Refuses options that would have no effect.

        Raises:
            UsageError: one is there without what it belongs to.
        """
        if self.truth is not None and self.plot is None:
            raise UsageError("--truth is for pictures", hint="add --plot DIR")
        if self.truth is None and (self.subset is not None or self.tiou is not None):
            raise UsageError("--subset and --tiou belong to --truth FILE", hint="add --truth")


@click.command()
@click.argument(
    "features", metavar="FEATURES...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--checkpoint",
    required=True,
    metavar="RUN|FILE",
    help="A finished run (as `list runs` names it, directory or hash), or a checkpoint file.",
)
@click.option(
    "--fps",
    type=click.FloatRange(min=0, min_open=True),
    help="Frames per second of the videos; by default as in the run's data set.",
)
@click.option(
    "--stride",
    type=click.FloatRange(min=0, min_open=True),
    help="Frames from snippet to snippet; by default as in the run's data set.",
)
@recipe_option("How segments are cut; own: the run's.")
@click.option("--top-k", type=click.IntRange(min=1), help="Only the best segments of each video.")
@click.option("--threshold", type=float, help="Only segments with at least this score.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS),
    help="By default what the ending of --out says; on stdout csv.",
)
@click.option("--out", default="-", show_default=True, metavar="FILE|-", help="ELAN: or a folder.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for a picture of each video, SVG and PNG.",
)
@click.option(
    "--truth",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --plot: true segments, in the form of ActivityNet.",
)
@click.option("--subset", help="Subset of the truth; by default the only one there is.")
@click.option(
    "--tiou",
    type=click.FloatRange(0, 1, min_open=True),
    help="With --truth: where a segment is a true positive; by default 0.5.",
)
@click.option("--device", type=DeviceType(), default="auto", show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; by default the run's.")
@results_option
@plugins_option
@data_root_option
@json_option
def infer(features: tuple[Path, ...], **options: Any) -> None:
    """Find segments in new videos with the method of a stored run.

    FEATURES are files (.npy, .npz, .h5, .pt; [snippets, columns]) or folders of them, one file a
    video. They must be made as those of the run's training were.
    """
    request = Request(**options)
    request.check()
    summary = _infer(_prepare(features, request), request)
    _say(summary)
    if request.as_json and request.out != "-":
        click.echo(document(SCHEMA, "data", summary))


@dataclass(frozen=True, eq=False)
class _Job:
    """Everything that is checked before the first video is looked at.

    Args:
        files: the videos' features.
        form: name of the output's form.
        trained: the method with its weights.
        choice: how to cut, and what to keep.
        grid: where snippets lie in time.
        known: the truth, where there is one.
    """

    files: Sequence[FeaturePath]
    form: str
    trained: Trained
    choice: Choice
    grid: TimeGrid
    known: Known | None


def _prepare(places: tuple[Path, ...], request: Request) -> _Job:
    from wsal_bench.inference.feature_files import check_all, find_features
    from wsal_bench.inference.places import check_place, form_name
    from wsal_bench.inference.stream import Choice

    form = form_name(request.form, request.out, as_json=request.as_json)
    files = find_features(places)
    check_place(form, request.out, len(files))
    trained = _trained(request)
    recipe, own = trained.recipe(request.recipe), request.recipe == OWN_RECIPE
    choice = Choice(recipe, own, request.top_k, request.threshold)
    grid = _grid(request, trained)
    known = _known(request, [file.video_id for file in files], trained)
    with Counting("checking") as counting:
        check_all(files, trained.inputs.feature_dim, counting.done)
    return _Job(files, form, trained, choice, grid, known)


def _infer(job: _Job, request: Request) -> dict[str, Any]:
    from wsal_bench.inference.forms import FORMS
    from wsal_bench.inference.places import open_place
    from wsal_bench.inference.stream import segments_of
    from wsal_bench.inference.truth import timeline_of

    trained, segments = job.trained, 0
    title = f"{trained.spec.name} trained on {trained.spec.data.name}"
    writer = FORMS[job.form](_facts(request, trained, job.grid))
    with (
        open_place(writer, request.out, _echo) as write,
        Counting("inferring") as counting,
    ):
        stream = segments_of(trained, job.files, job.grid, job.choice)
        for number, found in enumerate(stream, 1):
            write(found)
            if request.plot is not None:
                _draw(timeline_of(found, job.known, request.tiou or 0.5, title), request)
            segments += len(found.segments)
            counting.done(number, len(job.files))
    return {
        "videos": len(job.files),
        "segments": segments,
        "format": job.form,
        "out": request.out,
        "plot": request.plot,
        "checkpoint": trained.weights,
    }


def _say(summary: Mapping[str, Any]) -> None:
    where = "" if summary["out"] == "-" else f" in {summary['out']}"
    found = f"{_plural(summary['segments'], 'segment')} of {_plural(summary['videos'], 'video')}"
    note(f"{found}{where}")
    if summary["plot"] is not None:
        note(f"pictures in {summary['plot']}")


def _trained(request: Request) -> Trained:
    """The method, with the threads of its run: their number decides the last bits."""
    import torch

    from wsal_bench.inference.trained import open_trained, run_directory
    from wsal_bench.running.lookup import one_run

    path = Path(request.checkpoint)
    if path.is_file():
        trained = open_trained(run_directory(path), path, request.device)
    else:
        if path.suffix in (".pt", ".pth"):
            raise DataError("no such checkpoint", path=path)
        what = "no run and no checkpoint file"
        run = one_run(request.results, request.checkpoint, what)
        trained = open_trained(run.directory, None, request.device)
    torch.set_num_threads(request.threads or trained.spec.threads)
    for text in trained.notes:
        warn(text)
    return trained


def _grid(request: Request, trained: Trained) -> TimeGrid:
    """Where snippets lie in time, and a line that says where that is known from."""
    usual = trained.inputs.grid
    if usual is None and (request.fps is None or request.stride is None):
        raise UsageError(
            f"videos of {trained.spec.data.name} differ in fps or stride",
            hint="say what yours have: --fps and --stride",
        )
    fps = request.fps if request.fps is not None else usual.fps  # type: ignore[union-attr]
    stride = request.stride if request.stride is not None else usual.stride  # type: ignore[union-attr]
    grid = TimeGrid(fps, stride, usual.offset if usual is not None else 0.0)
    parts = (("fps", fps, request.fps), ("stride", stride, request.stride))
    said = ", ".join(
        f"{name} {value:g} ({'given' if given is not None else f'of {trained.spec.data.name}'})"
        for name, value, given in parts
    )
    note(f"{trained.spec.name}: {said}; a snippet is {grid.snippet_seconds:.3g} s")
    return grid


def _known(request: Request, video_ids: list[str], trained: Trained) -> Known | None:
    from wsal_bench.inference.truth import read_known

    if request.truth is None:
        return None
    known = read_known(request.truth, request.subset, video_ids, trained.inputs.class_names)
    for text in known.notes:
        warn(text)
    return known


def _facts(request: Request, trained: Trained, grid: TimeGrid) -> dict[str, Any]:
    """What is the same for all videos."""
    return {
        "checkpoint": str(trained.weights),
        "class_names": list(trained.inputs.class_names),
        "dataset": trained.spec.data.name,
        "fps": grid.fps,
        "hash": trained.spec.hash,
        "method": trained.spec.name,
        "recipe": request.recipe,
        "seed": trained.spec.seed,
        "stride": grid.stride,
        "threshold": request.threshold,
        "top_k": request.top_k,
    }


def _draw(timeline: Any, request: Request) -> None:
    from wsal_bench.report.timeline import MAX_SEGMENTS
    from wsal_bench.report.timeline_picture import write_timeline

    assert request.plot is not None
    write_timeline(timeline, request.plot, request.top_k or MAX_SEGMENTS)


def _plural(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _echo(text: str) -> None:
    click.echo(text, nl=False)

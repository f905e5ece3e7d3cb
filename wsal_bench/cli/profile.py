"""`wsal-bench profile`: where the time goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsal_bench.cli.lazy import HelpfulGroup
from wsal_bench.cli.options import (
    DeviceType,
    NamesType,
    data_root_option,
    json_option,
    plugins_option,
    results_option,
)
from wsal_bench.cli.output import document, note
from wsal_bench.errors import UsageError
from wsal_bench.files import make_folder, write_bytes, write_text

if TYPE_CHECKING:
    from wsal_bench.profiling.suite import Request

SCHEMA = "wsal-bench/profile/1"
QUICK_LENGTHS = (5, 20)
QUICK_REPEATS = 3
LARGEST = 65536  # more is a mistyped digit


class SizesType(click.ParamType[tuple[int, ...]]):
    """`5,30,256`: whole numbers from 1."""

    name = "sizes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers that a text stands for, each once."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if not all(part.isdecimal() and 1 <= int(part) <= LARGEST for part in parts):
            self.fail(f"{value!r} are no sizes from 1 to {LARGEST}; write 5,30,256")
        return tuple(dict.fromkeys(map(int, parts)))


class ShareType(click.ParamType[float]):
    """`20%` or `0.2`: at least 0 and less than 1."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The share that a text stands for."""
        text = str(value).strip()
        try:
            share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
        except ValueError:
            self.fail(f"{value!r} is no share; write 20% or 0.2")
        if not 0 <= share < 1:
            self.fail(f"{value!r} is not from 0% to less than 100%")
        return share


@click.group(cls=HelpfulGroup)
def profile() -> None:
    """Measure where the time goes."""


@profile.command()
@click.option("--kernels", type=NamesType(), default=(), help="a,b,c; by default all.")
@click.option("--backends", type=NamesType(), default=(), help="By default all that work here.")
@click.option("--batch", type=SizesType(), default=(16,), help="Pairs in a batch; 16.")
@click.option("--length", type=SizesType(), help="Lengths L; 5,10,30,64,256.")
@click.option("--dim", type=click.IntRange(1, LARGEST), default=512, help="Of features; 512.")
@click.option("--device", type=DeviceType(), default="cpu", help="cpu, cuda, cuda:N or auto.")
@click.option("--dtype", type=NamesType(), default=("float32",), help="float32,float64.")
@click.option("--repeats", type=click.IntRange(1, 1000), help="Samples of each call; 7.")
@click.option("--threads", type=click.IntRange(1, 1024), default=1, help="CPU threads; 1.")
@click.option("--quick", is_flag=True, help="Two small lengths, three samples.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for document and plot.")
@click.option("--compare", type=click.Path(path_type=Path), help="An older document.")
@click.option(
    "--max-regression", type=ShareType(), default=0.2, show_default="20%",
    help="Share of a ratio against the reference that may be lost; exit 5 beyond.",
)  # fmt: skip
@json_option
def kernels(
    device: str,
    threads: int,
    out: Path | None,
    compare: Path | None,
    max_regression: float,
    as_json: bool,
    **sizes: Any,
) -> None:
    """Time the alignment kernels against their definition; each is checked before."""
    from wsal_bench.profiling.comparing import compare as compared
    from wsal_bench.profiling.comparing import read_rows

    old = None if compare is None else read_rows(compare)  # before minutes of measuring
    if out is not None:
        make_folder(out)
    data = _measured(device, threads, **sizes)
    comparison = None if old is None else compared(old, data["rows"], max_regression)
    if out is not None:
        _write(out, data)
    click.echo(document(SCHEMA, "data", data) if as_json else _table(data))
    if comparison is not None:
        for line in comparison.lines():
            note(line)
        comparison.enforce()


def _measured(device: str, threads: int, **sizes: Any) -> dict[str, Any]:
    """The content of the document."""
    import numba
    import torch

    from wsal_bench.profiling.suite import Suite

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    before, compiled_before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(threads)
    # Compiled kernels, those of peers too, have a pool of their own; it would use all cores.
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    numba.set_num_threads(min(threads, most))
    try:
        suite = Suite(_request(device, **sizes), note)
        rows = [row.to_json() for row in suite.rows()]
        return {"rows": rows, "notes": suite.notes, "environment": suite.environment()}
    finally:
        torch.set_num_threads(before)
        numba.set_num_threads(compiled_before)


def _request(
    device: str,
    *,
    kernels: tuple[str, ...],
    backends: tuple[str, ...],
    batch: tuple[int, ...],
    length: tuple[int, ...] | None,
    dim: int,
    dtype: tuple[str, ...],
    repeats: int | None,
    quick: bool,
) -> Request:
    from wsal_bench.errors import did_you_mean
    from wsal_bench.profiling.suite import Request

    for name in dtype:
        if name not in ("float32", "float64"):
            raise UsageError(f"no dtype {name!r}", hint=did_you_mean(name, ("float32", "float64")))
    defaults = Request()
    return Request(
        kernels=kernels,
        backends=backends,
        batches=batch,
        lengths=length or (QUICK_LENGTHS if quick else defaults.lengths),
        dim=dim,
        device=device,
        dtypes=tuple(dict.fromkeys(dtype)),
        repeats=repeats or (QUICK_REPEATS if quick else defaults.repeats),
    )


def _table(data: dict[str, Any]) -> str:
    from wsal_bench.report.profile import to_markdown

    return to_markdown(data["rows"], data["notes"]).rstrip()


def _write(folder: Path, data: dict[str, Any]) -> None:
    from wsal_bench.report.profile import to_pictures

    path = folder / "profile.json"
    write_text(path, document(SCHEMA, "data", data) + "\n")
    note(f"wrote {path}")
    if not data["rows"]:
        return
    for ending, content in to_pictures(data["rows"], data["environment"]["device_name"]).items():
        path = folder / f"profile.{ending}"
        write_bytes(path, content)
        note(f"wrote {path}")


@profile.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--steps", type=click.IntRange(1, 10000), default=20, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for document and plot.")
@results_option
@data_root_option
@plugins_option
@json_option
def methods(
    runs: tuple[str, ...], steps: int, out: Path | None, results: Path, as_json: bool
) -> None:
    """Seconds of a training step by part, on real steps of stored runs.

    RUN is what `list runs` names it, a pattern, a directory or a hash.
    """
    from wsal_bench.running.lookup import some_runs

    found = [run for name in runs for run in some_runs(results, name)]
    from wsal_bench.profiling.steps import SCHEMA as METHODS_SCHEMA
    from wsal_bench.profiling.steps import profile_run
    from wsal_bench.report.steps import markdown, write_pictures

    if out is not None:
        make_folder(out)  # before minutes of measuring
    measured = []
    for run in found:
        note(f"measuring {steps} steps of {run.directory}")
        measured.append(profile_run(run.spec, run.directory, steps))
    text = document(METHODS_SCHEMA, "data", {"runs": measured})
    if out is not None:
        write_text(out / "profile-methods.json", text + "\n")
        for path in (out / "profile-methods.json", *write_pictures(measured, out)):
            note(f"wrote {path}")
    click.echo(text if as_json else "\n".join(map(markdown, measured)).rstrip())

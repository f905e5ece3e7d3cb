"""`wsal-bench doctor`: is this installation, and are its plugins, in order."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from wsal_bench import __version__, plugins
from wsal_bench.cli.options import Renamed, json_option, plugins_option, results_option
from wsal_bench.cli.output import document
from wsal_bench.errors import UsageError, WsalError, did_you_mean

SCHEMA = "wsal-bench/doctor/1"
PACKAGES = ("torch", "numpy", "pydantic", "click", "rich", "PyYAML", "tabulate", "matplotlib")
KINDS: tuple[plugins.Kind, ...] = ("methods", "datasets")
FAILED = 5


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Args:
        name: what.
        ok: whether it is in order.
        message: what was found.
    """

    name: str
    ok: bool
    message: str


@click.command()
@click.option(
    "--check",
    "plugin",
    cls=Renamed,
    former=("--plugin",),
    metavar="NAME",
    help="Run the conformance kit on a method, data set or folder:PATH.",
)
@results_option
@plugins_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, plugin: str | None, results: Path, as_json: bool) -> None:
    """Check versions, device, folders and plugins; exit code 5 if something is wrong."""
    if plugin is None:
        checks = [*_installation(), _writable(results), *_imports()]
    else:
        checks = _conformance(plugin)
    ok = all(check.ok for check in checks)
    if as_json:
        found: dict[str, Any] = {"ok": ok, "checks": [asdict(check) for check in checks]}
        click.echo(document(SCHEMA, "data", found))
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.message}")
    if not ok:
        ctx.exit(FAILED)


def _installation() -> Iterator[Check]:
    yield Check("wsal-bench", True, __version__)
    yield Check("python", True, f"{platform.python_version()} on {platform.platform()}")
    for package in PACKAGES:
        try:
            yield Check(package, True, metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Check(package, False, "not installed")
    yield from _devices()


def _devices() -> Iterator[Check]:
    import torch  # the slowest import there is

    yield Check("threads", True, f"torch {torch.get_num_threads()}, cores {os.cpu_count()}")
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        yield Check("cuda", True, f"{torch.version.cuda}: {', '.join(names)}")
    else:
        yield Check("cuda", True, "none; everything runs on the CPU")


def _writable(results: Path) -> Check:
    """Writes a file where runs would go, or in the nearest folder above that exists."""
    folder = results.absolute()
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".wsal-bench-"):
            return Check("results", True, f"{results} can be written")
    except OSError as error:
        return Check("results", False, f"{results} cannot be written ({error.strerror})")


def _imports() -> Iterator[Check]:
    for kind in KINDS:
        for bad in plugins.broken(kind):
            yield Check(f"{kind}/{bad.name}", False, f"{bad.origin}: {bad.message}")
        for name, plugin in plugins.available(kind).items():
            try:
                plugins.load(kind, name)
            except WsalError as error:
                yield Check(f"{kind}/{name}", False, str(error))
            else:
                yield Check(f"{kind}/{name}", True, plugin.origin)


def _conformance(name: str) -> list[Check]:
    """What the kit finds; one good check where it finds nothing.

    Raises:
        UsageError: there is no such plugin.
    """
    stem = name.partition(":")[0]  # of folder:PATH
    kinds = [kind for kind in KINDS if stem in plugins.available(kind)]
    if not kinds:
        for kind in KINDS:
            for bad in plugins.broken(kind):
                if bad.name == name:
                    return [Check(f"{kind}/{name}", False, f"{bad.origin}: {bad.message}")]
        known = [name for kind in KINDS for name in plugins.available(kind)]
        raise UsageError(f"no plugin {name!r}", hint=did_you_mean(name, known, kind="plugins"))
    return [check for kind in kinds for check in _kit(kind, name)]


def _kit(kind: plugins.Kind, name: str) -> list[Check]:
    from wsal_bench import testing

    check = testing.check_method if kind == "methods" else testing.check_dataset
    try:
        findings = check(name)
    except UsageError as error:  # such as a plugin that cannot be imported
        return [Check(f"{kind}/{name}", False, str(error))]
    return [Check(f"{kind}/{name}", False, str(finding)) for finding in findings] or [
        Check(f"{kind}/{name}", True, "conforms")
    ]

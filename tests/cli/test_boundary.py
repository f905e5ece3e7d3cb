"""Streams, exit codes and errors of the command line, whatever the command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.cli.made_up import Cli, MadeUpStore
from wsal_bench.cli.app import COMMANDS, App, app
from wsal_bench.cli.options import DurationType, SeedsType, SizeType
from wsal_bench.cli.output import document
from wsal_bench.errors import DataError, GateError, UnavailableError, UsageError
from wsal_bench.running.runner import RunInterrupted

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "scipy", "sklearn", "pandas")
LOADED = f"print(sorted(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)"
SCRIPT = f"""
import sys
from wsal_bench.cli import main
try:
    main()
finally:
    {LOADED}
"""


def process(*arguments: str, code: str = SCRIPT) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own; the last line of stderr: heavy modules."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )


def environment() -> dict[str, str]:
    places = (ROOT, ROOT / "methods", ROOT / "datasets")
    path = os.pathsep.join([*map(str, places), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("run", "--help"),
        ("list",),
        ("list", "--json"),
        ("show", "ftcl"),
        ("show", "simulated"),
        ("show", "simulated/common"),
    ],
)
def test_what_only_reads_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    done = process(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def test_leaderboard_imports_nothing_heavy(store: MadeUpStore) -> None:
    store.add_grid("mil", 0.25)
    done = process("leaderboard", "--results", str(store.path), "--out", "-")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.measured
def test_help_costs_less_than_a_third_of_a_second_of_cpu() -> None:
    code = f"import time\n{SCRIPT}\n".replace(LOADED, "print(time.process_time(), file=sys.stderr)")
    done = process("--help", code=code)
    assert float(done.stderr) < 0.3


def test_help_names_every_command_and_its_line() -> None:
    text = CliRunner().invoke(app, ["--help"]).stdout
    for name, entry in COMMANDS.items():
        assert name in text
        assert entry.summary in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_exists_under_its_name(name: str, cli: Cli) -> None:
    result = cli(name, "--help")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"Usage: wsal-bench {name} ")


def test_a_mistyped_command_gets_a_suggestion_and_exit_code_2(cli: Cli) -> None:
    result = cli("rnu")
    assert result.exit_code == 2
    assert "did you mean 'run'" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("eval", "--json"),
        ("run", "--json", "--methods", "mil", "--jobs", "zero"),
        ("list", "nothing", "--json"),
        ("--nonsense", "--json"),
    ],
)
def test_a_wrong_command_line_is_one_document_too(arguments: tuple[str, ...], cli: Cli) -> None:
    result = cli(*arguments)
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["schema"] == "wsal-bench/error/1"
    assert set(found["error"]) == {"code", "message", "hint", "path"}
    assert found["error"]["code"] == "usage"


def failing(error: BaseException) -> App:
    @click.command(cls=App)
    def broken() -> None:
        """Nothing."""

    def command(ctx: click.Context, name: str) -> click.Command:
        @click.command()
        @click.option("--json", is_flag=True)
        def it(json: bool) -> None:
            raise error

        return it

    broken.get_command = command  # type: ignore[method-assign,assignment]
    assert isinstance(broken, App)
    return broken


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (UsageError("no method 'x'"), 2, "usage"),
        (DataError("no such file", path="a.json"), 3, "data"),
        (OSError(28, "No space left on device", "b.npz"), 3, "data"),
        (GateError("failed"), 5, "gate"),
        (UnavailableError("no cuda"), 6, "unavailable"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (RunInterrupted(15), 143, "interrupted"),
        (ZeroDivisionError("x"), 1, "internal"),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(
    error: BaseException, exit_code: int, code: str
) -> None:
    group = failing(error)
    result = CliRunner().invoke(group, ["run", "--json"])
    assert result.exit_code == exit_code
    assert json.loads(result.stdout)["error"]["code"] == code
    result = CliRunner().invoke(group, ["run"])
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.stderr


def test_an_internal_error_names_the_file_with_its_traceback() -> None:
    result = CliRunner().invoke(failing(ZeroDivisionError("oops")), ["run", "--json"])
    path = Path(json.loads(result.stdout)["error"]["path"])
    assert "ZeroDivisionError: oops" in path.read_text()
    path.unlink()


def test_debug_prints_the_traceback() -> None:
    done = process("--debug", "show", "nothing-of-that-name")
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_a_reader_that_goes_away_is_no_failure() -> None:
    code = "from wsal_bench.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "list", "methods"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        said = child.stderr.read()
        child.wait()
    assert (child.returncode, said) == (0, b"")


def test_documents_have_sorted_keys_and_null_for_what_is_no_number() -> None:
    text = document("x/1", "data", {"b": float("nan"), "a": [float("inf"), Path("p"), (1,)]})
    assert json.loads(text) == {"schema": "x/1", "data": {"a": [None, "p", [1]], "b": None}}
    assert text.index('"a"') < text.index('"b"')


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0", (0,)), ("0,1,2", (0, 1, 2)), ("0-2", (0, 1, 2)), ("5,1-2,1", (5, 1, 2))],
)
def test_seeds_are_lists_and_ranges(text: str, seeds: tuple[int, ...]) -> None:
    assert SeedsType().convert(text, None, None) == seeds


@pytest.mark.parametrize("text", ["", "a", "-1", "2-0", "0,,1", "1.5", "0-100000000000"])
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        SeedsType().convert(text, None, None)


def test_the_page_about_results_names_every_schema_and_exit_code() -> None:
    page = (ROOT / "docs" / "results.md").read_text()
    code = "".join(path.read_text() for path in (ROOT / "wsal_bench").rglob("*.py"))
    schemas = set(re.findall(r'SCHEMA = "(wsal-bench/[a-z-]+/\d+)"', code))
    assert len(schemas) >= 9
    assert [schema for schema in schemas if schema not in page] == []
    for number in (0, 1, 2, 3, 4, 5, 6, 130, 143):
        assert re.search(rf"^\|.*\b{number}\b.*\|", page, re.MULTILINE)


STREAMS = [
    ("--help",),
    ("--version",),
    ("list", "methods"),
    ("list", "--json"),
    ("show", "ftcl"),
]


def into(redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line with its output somewhere."""
    command = f'"{sys.executable}" -m wsal_bench {" ".join(arguments)} {redirection}'
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env=environment()
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the /dev/full of Linux")
@pytest.mark.parametrize("arguments", STREAMS, ids=" ".join)
def test_a_full_output_is_one_sentence(arguments: tuple[str, ...]) -> None:
    done = into("> /dev/full", *arguments)
    assert done.returncode == 3
    assert done.stderr == ("error: standard output cannot be written: No space left on device\n")


@pytest.mark.parametrize("arguments", STREAMS, ids=" ".join)
def test_a_reader_that_went_away_is_no_failure(arguments: tuple[str, ...]) -> None:
    done = into("| true; exit ${PIPESTATUS[0]}", *arguments)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_failure_keeps_its_code_whatever_the_streams() -> None:
    for where in (">&-", "2>&-", "> /dev/full", "2> /dev/full", "| true; exit ${PIPESTATUS[0]}"):
        for way in ("", "--json"):
            done = into(where, "list", "nonsense", way)
            assert done.returncode == 2, (where, way, done.stderr)
            assert "Traceback" not in done.stderr


def test_a_closed_output_is_no_failure() -> None:
    done = into(">&-", "list", "methods")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_broken_pipe_to_somebody_else_is_not_passed_over() -> None:
    result = CliRunner().invoke(failing(BrokenPipeError(32, "Broken pipe")), ["run"])
    assert result.exit_code == 1
    assert "internal error: BrokenPipeError" in result.stderr


def test_the_end_of_a_file_is_no_interruption() -> None:
    result = CliRunner().invoke(failing(EOFError("No data left in file")), ["run"])
    assert result.exit_code == 1
    assert "EOFError: No data left in file" in result.stderr


@pytest.mark.parametrize(
    ("kind", "text", "amount"),
    [
        (DurationType(), "90", 90.0),
        (DurationType(), "1.5s", 1.5),
        (DurationType(), "10m", 600.0),
        (DurationType(), "2H", 7200.0),
        (SizeType(), "512M", 512 << 20),
        (SizeType(), "4g", 4 << 30),
    ],
)
def test_limits_are_numbers_with_units(
    kind: DurationType | SizeType, text: str, amount: float
) -> None:
    assert kind.convert(text, None, None) == amount


@pytest.mark.parametrize("text", ["", "0", "-1", "1x", "m", "1.2.3", "nan", "1 day", "."])
def test_what_is_no_limit_is_refused(text: str) -> None:
    for kind in (DurationType(), SizeType()):
        with pytest.raises(click.BadParameter, match=f"is no {kind.name}; write"):
            kind.convert(text, None, None)

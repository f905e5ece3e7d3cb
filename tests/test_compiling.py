import os
import subprocess
import sys
from pathlib import Path

import pytest

from wsal_bench.compiling import ANNOUNCEMENT

PROGRAM = """
from wsal_bench.compiling import compiled

@compiled
def inner(x):
    return x / 0.0

@compiled
def outer(x):
    return inner(x) + 1

print(outer(1.0))
"""


def run(folder: Path, cache: Path, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    package = folder / "wsal_bench_like"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text(program)
    return subprocess.run(
        [sys.executable, "-c", "import wsal_bench_like"],
        env={
            **os.environ,
            "NUMBA_CACHE_DIR": str(cache),
            "PYTHONPATH": os.pathsep.join((str(folder), str(Path(__file__).parents[1]))),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def test_the_first_call_says_that_it_compiles_and_the_next_process_does_not(tmp_path: Path) -> None:
    first = run(tmp_path, tmp_path / "cache")
    second = run(tmp_path, tmp_path / "cache")
    assert first.stdout == second.stdout == "inf\n"  # division as in numpy, without an error
    assert first.stderr == f"{ANNOUNCEMENT}\n"
    assert second.stderr == ""


def test_a_change_in_a_file_that_is_called_into_is_noticed(tmp_path: Path) -> None:
    package = tmp_path / "wsal_bench_like"
    package.mkdir()
    callee = package / "callee.py"
    head = "from wsal_bench.compiling import compiled\n\n@compiled\ndef inner(x):\n    return x "
    program = PROGRAM.replace("@compiled\ndef inner(x):\n    return x / 0.0\n", "")
    program = program.replace("import compiled\n", "import compiled\nfrom .callee import inner\n")
    assert "def inner" not in program
    for change, printed in (("+ 1", "3.0\n"), ("+ 2", "4.0\n")):  # the same size, and maybe second
        callee.write_text(head + change + "\n")
        os.utime(callee, (0, 0))
        assert run(tmp_path, tmp_path / "cache", program).stdout == printed


@pytest.mark.parametrize("place", ["/proc/nowhere", "a file"])
def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, place: str) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    result = run(tmp_path, Path(place) if place.startswith("/") else blocked / "below")
    assert result.stdout == "inf\n"

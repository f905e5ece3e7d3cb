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


def start(folder: Path, cache: Path, program: str) -> subprocess.Popen[str]:
    package = folder / "wsal_bench_like"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text(program)
    return subprocess.Popen(
        [sys.executable, "-c", "import wsal_bench_like"],
        env={
            **os.environ,
            "NUMBA_CACHE_DIR": str(cache),
            "PYTHONPATH": os.pathsep.join((str(folder), str(Path(__file__).parents[1]))),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ends(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run(folder: Path, cache: Path, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    return ends(start(folder, cache, program))


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


AT_ONCE = """
import sys
from time import sleep
from wsal_bench.compiling import compiled

@compiled
def half(x):
    return x / 2

index = half._cache._cache_file
write = index._save_index

def late(overloads):  # long enough for the other process to be here too
    sleep(0.5)
    write(overloads)

index._save_index = late
print("ready", flush=True)
for line in sys.stdin:
    print(half(float(line) if "." in line else int(line)), flush=True)
"""


def test_two_processes_may_compile_a_function_for_different_types_at_once(tmp_path: Path) -> None:
    both = [start(tmp_path, tmp_path / "cache", AT_ONCE) for _ in range(2)]
    for process in both:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process, number in zip(both, ("3", "3.0"), strict=True):
        assert process.stdin is not None
        process.stdin.write(number + "\n")
        process.stdin.flush()
    for process in both:
        assert ends(process).stdout == "1.5\n"
    again = start(tmp_path, tmp_path / "cache", AT_ONCE)
    out, err = again.communicate("3\n3.0\n", timeout=120)
    assert (out, err) == ("ready\n1.5\n1.5\n", "")  # nothing is compiled: both were kept


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("nbi", "cut"),
        ("nbc", "one bit"),
        *(
            pytest.param(kind, damage, marks=pytest.mark.slow)
            for kind, damage in [("nbi", "zeros"), ("nbi", "empty"), ("nbc", "cut")]
        ),
    ],
)
def test_a_damaged_cache_is_compiled_again_and_said_once(
    tmp_path: Path, kind: str, damage: str
) -> None:
    run(tmp_path, tmp_path / "cache")
    files = list((tmp_path / "cache").rglob(f"*.{kind}"))
    assert len(files) == 2
    for path in files:
        content = bytearray(path.read_bytes())
        half = len(content) // 2
        if damage == "cut":
            del content[half:]
        elif damage == "zeros":
            content[half:] = bytes(len(content) - half)
        elif damage == "one bit":
            content[half] ^= 4
        else:
            content.clear()
        path.write_bytes(content)
    again = run(tmp_path, tmp_path / "cache")
    assert again.stdout == "inf\n"
    assert again.stderr.count("compiled code is damaged") == 1
    assert ANNOUNCEMENT in again.stderr
    third = run(tmp_path, tmp_path / "cache")
    assert (third.stdout, third.stderr) == ("inf\n", "")

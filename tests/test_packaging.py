"""The wheel works where nothing of this checkout is in sight."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def call(*command: str | Path, cwd: Path) -> str:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir")
    call(sys.executable, "-m", "pip", "wheel", *options, folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with our wheel beside a package called `datasets`; its folder.

    The libraries are those of this environment, found through a path file: it leads to the
    packages, not to the editable install of the checkout.
    """
    folder = tmp_path_factory.mktemp("clean")
    call(sys.executable, "-m", "venv", folder / "env", cwd=folder)
    python = folder / "env" / "bin" / "python"
    site = Path(
        call(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip()
    )
    (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    (site / "datasets").mkdir()
    (site / "datasets" / "__init__.py").write_text("def load_dataset():\n    return 'theirs'\n")
    call(python, "-m", "pip", "install", "--no-deps", "--quiet", wheel, cwd=folder)
    return folder


def test_every_plugin_and_preset_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for outer, package in (("methods", "wsal_methods"), ("datasets", "wsal_datasets")):
        for file in (ROOT / outer / package).rglob("*"):
            if file.suffix in {".py", ".yaml", ".typed"}:
                assert file.relative_to(ROOT / outer).as_posix() in inside
    templates = {f"wsal_bench/cli/templates/{kind}.txt" for kind in ("method", "dataset")}
    assert templates <= inside
    assert {"wsal_bench/py.typed", "wsal_methods/py.typed", "wsal_datasets/py.typed"} <= inside
    assert not any(name.startswith(("methods/", "datasets/", "tests/")) for name in inside)


@pytest.mark.slow
def test_the_wheel_leaves_a_package_called_datasets_alone(clean: Path) -> None:
    python = clean / "env" / "bin" / "python"
    program = "import datasets, wsal_bench; print(datasets.load_dataset(), wsal_bench.__file__)"
    answer, place = call(python, "-c", program, cwd=clean).split()
    assert answer == "theirs"
    assert Path(place).is_relative_to(clean / "env")


@pytest.mark.slow
def test_the_installed_command_lists_and_runs_from_another_folder(clean: Path) -> None:
    command = clean / "env" / "bin" / "wsal-bench"
    listing = call(command, "list", "methods", cwd=clean)
    assert "ftcl" in listing and "mil" in listing
    options = ("--methods", "mil", "--quick", "--json", "--results", clean / "results")
    cells = json.loads(call(command, "run", *options, cwd=clean))["data"]["cells"]
    assert {cell["status"] for cell in cells} == {"ok"}

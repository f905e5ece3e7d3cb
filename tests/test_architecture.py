"""The rooms and who may enter which: imports run tests -> plugins -> harness -> libraries."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HARNESS = ROOT / "wsal_bench"
PLUGINS = (ROOT / "methods" / "wsal_methods", ROOT / "datasets" / "wsal_datasets")
HEAVY = {"torch", "scipy", "sklearn", "pandas"}


@dataclass(frozen=True)
class Import:
    """One imported module, where, and whether importing the file runs it."""

    file: Path
    line: int
    module: str
    eager: bool


@cache
def imports(folder: Path) -> tuple[Import, ...]:
    return tuple(found for file in sorted(folder.rglob("*.py")) for found in imports_of(file))


def imports_of(file: Path) -> Iterator[Import]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    lazy = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        for name in names:
            yield Import(file, node.lineno, name, id(node) not in lazy)


def guilty(folder: Path, forbidden: set[str], *, eager_only: bool = False) -> list[str]:
    return [
        f"{found.file.relative_to(ROOT)}:{found.line} imports {found.module}"
        for found in imports(folder)
        if found.module.split(".")[0] in forbidden and (found.eager or not eager_only)
    ]


def test_the_harness_imports_no_plugin() -> None:
    assert guilty(HARNESS, {"wsal_methods", "wsal_datasets"}) == []


@pytest.mark.parametrize("folder", [HARNESS, *PLUGINS], ids=lambda folder: folder.name)
def test_nothing_imports_the_tests_or_the_scripts(folder: Path) -> None:
    assert guilty(folder, {"tests", "scripts"}) == []


def test_methods_and_data_sets_do_not_know_each_other() -> None:
    methods, datasets = PLUGINS
    assert guilty(methods, {"wsal_datasets"}) == []
    assert guilty(datasets, {"wsal_methods"}) == []


@pytest.mark.parametrize("room", ["evaluation", "localization"])
def test_scoring_and_localization_import_no_torch(room: str) -> None:
    assert guilty(HARNESS / room, HEAVY) == []


def test_kernels_import_torch_and_numpy_only() -> None:
    allowed = {"torch", "numpy", "numba", "llvmlite", "triton"}  # llvmlite: numba's own compiler
    outside = [
        f"{found.file.relative_to(ROOT)}:{found.line} imports {found.module}"
        for found in imports(HARNESS / "kernels")
        if not found.module.startswith(("wsal_bench.kernels", "wsal_bench.compiling"))
        and found.module.split(".")[0] not in allowed | STANDARD
    ]
    assert outside == []


@pytest.mark.parametrize(
    "file",
    ["types", "timegrid", "config", "api", "errors", "plugins", "results", "statistics",
     "leaderboard", "floors"],
)  # fmt: skip
def test_rooms_that_light_commands_enter_import_no_torch(file: str) -> None:
    paths = [HARNESS / f"{file}.py", *(HARNESS / file).glob("*.py")]
    found = [
        item.module
        for item in imports(HARNESS)
        if item.file in paths and item.eager and item.module.split(".")[0] in HEAVY
    ]
    assert any(path.exists() for path in paths) and found == []


@pytest.mark.parametrize("folder", ["methods", "datasets"])
def test_the_outer_folders_are_source_roots_and_shadow_nothing(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


STANDARD = {
    "__future__", "abc", "collections", "contextlib", "dataclasses", "difflib", "enum",
    "functools", "importlib", "itertools", "logging", "math", "operator", "threading",
    "types", "typing", "warnings",
}  # fmt: skip

"""The rooms and who may enter which: tests -> plugins -> harness -> libraries, and downwards in it.

Every import counts where a direction is meant, also one inside a function or for annotations only.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HARNESS = ROOT / "wsal_bench"
PLUGINS = (ROOT / "methods" / "wsal_methods", ROOT / "datasets" / "wsal_datasets")
HEAVY = {"torch", "scipy", "sklearn", "pandas"}

GROUND = (
    "errors", "clock", "compiling", "config", "environment", "files", "leases", "locks",
    "timegrid", "together", "yaml12",
)  # fmt: skip
"""The ground floor: single files that every room may use."""

ROOMS = (
    "types", "kernels", "nn", "localization", "evaluation", "statistics", "plugins", "data",
    "training", "running", "studies", "report", "inference", "profiling", "testing", "cli",
)  # fmt: skip
"""From the bottom to the top: a room uses those before it."""


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
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield Import(file, node.lineno, name, id(node) not in lazy)


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The room of a module of the harness; the package itself belongs to the ground floor."""
    return (*module.split("."), "")[1]


def arrows() -> dict[str, set[str]]:
    """Each module of the harness, and the modules of the harness that it imports."""
    modules = {module_name(file): file for file in HARNESS.rglob("*.py")}
    found: dict[str, set[str]] = {name: set() for name in modules}
    for item in imports(HARNESS):
        # `from a.b import c` is of the module a.b.c if there is one, else of a.b
        targets = (item.module, item.module.rpartition(".")[0])
        goal = next((name for name in targets if name in modules), None)
        if goal is not None:
            found[module_name(item.file)].add(goal)
    return found


def against_the_order(graph: Mapping[str, Iterable[str]]) -> list[str]:
    floors = {"": 0, **dict.fromkeys(GROUND, 0)}
    floors |= {room: number for number, room in enumerate(ROOMS, start=1)} | {
        "api": 99,
        "__main__": 99,
    }
    return [
        f"{user} imports {used}"
        for user, goals in sorted(graph.items())
        for used in sorted(goals)
        if floors[room_of(used)] > floors[room_of(user)]
    ]


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def guilty(folder: Path, forbidden: set[str], *, eager_only: bool = False) -> list[str]:
    return [
        f"{found.file.relative_to(ROOT)}:{found.line} imports {found.module}"
        for found in imports(folder)
        if found.module.split(".")[0] in forbidden and (found.eager or not eager_only)
    ]


def test_the_top_level_is_a_table_of_contents() -> None:
    folders = {path.parent.name for path in HARNESS.glob("*/__init__.py")}
    files = {path.stem for path in HARNESS.glob("*.py")} - {"__init__", "__main__", "api"}
    assert folders == set(ROOMS) and len(ROOMS) <= 16
    assert files == set(GROUND)


def test_every_room_is_on_the_page_and_on_its_picture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms, picture = page.split("## Rooms")[1].split("```text")[:2]
    for room in (*ROOMS, *GROUND, "api"):
        assert re.search(rf"`{room}(/|\.py)?`", rooms + picture.split("```")[1]), room
        assert re.search(rf"\b{room}\b", picture.split("```")[0]), room


def test_rooms_use_those_below_them_only() -> None:
    assert against_the_order(arrows()) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circle(arrows()) == []


def test_arrows_upwards_and_circles_would_be_found() -> None:
    graph = {"wsal_bench.types.video": {"wsal_bench.cli.app"}, "wsal_bench.cli.app": set()}
    assert against_the_order(graph) == ["wsal_bench.types.video imports wsal_bench.cli.app"]
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) and not circle({"a": {"b"}, "b": set()})
    lazy = arrows()["wsal_bench.studies.audit_runs"]  # reads JSON inside a function
    assert "wsal_bench.files" in lazy


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
    "room",
    ["types", "timegrid", "config", "api", "errors", "plugins", "statistics", "studies",
     "evaluation", "localization"],
)  # fmt: skip
def test_rooms_that_light_commands_enter_import_no_torch(room: str) -> None:
    paths = [HARNESS / f"{room}.py", *(HARNESS / room).glob("*.py")]
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

"""Plugins are found by name, read without being imported, and imported when they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wsal_bench import plugins
from wsal_bench.errors import DataError, UsageError
from wsal_bench.plugins import MethodName, available, broken, load, resolve_methods

METHOD = '''"""{summary}"""

from wsal_bench.api import Method as Base


class Method(Base):
    """A class."""

    {facts}

    def fit(self, videos, session): ...

    def activations(self, video): ...

    recipe = None
'''


def write(folder: Path, stem: str, *, facts: str = "", summary: str = "About it.") -> Path:
    """A method's file in a plugin folder."""
    path = folder / "methods" / f"{stem}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(METHOD.format(summary=summary, facts=facts))
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin folder with one method of variants and one that breaks when imported."""
    monkeypatch.setenv(plugins.PLUGIN_FOLDERS, str(tmp_path))
    facts = (
        'groups = ("zoo",)\n    variants = {"big": {}, "small": {}}\n    controls = {"none": {}}'
    )
    write(tmp_path, "red_panda", facts=facts, summary="Climbs.\n\nAnd eats.")
    write(tmp_path, "yak", facts='groups = ("zoo",)')
    path = write(tmp_path, "explosive")
    path.write_text(path.read_text() + "\nraise RuntimeError('bang')\n")
    return tmp_path


def names(*texts: str) -> list[str]:
    return [str(name) for name in resolve_methods(texts)]


def test_a_name_is_the_stem_with_dashes(folder: Path) -> None:
    panda = available("methods")["red-panda"]
    assert panda.summary == "Climbs."
    assert panda.groups == ("zoo",)
    assert (panda.variants, panda.controls) == (("big", "small"), ("none",))
    assert panda.path == folder / "methods" / "red_panda.py"
    assert panda.target == "wsal_methods.red_panda:Method"


def test_nothing_is_imported_to_be_listed(folder: Path) -> None:
    assert "explosive" in available("methods")
    code = (
        "import sys; from wsal_bench.plugins import available, broken\n"
        "available('methods'), available('datasets'), broken('methods')\n"
        "print([name for name in sys.modules if name == 'torch' or 'wsal_methods.' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_built_in_plugins_are_there() -> None:
    assert {"mil", "attention-mil", "acm-net", "ftcl"} <= set(available("methods"))
    assert {"simulated", "folder"} <= set(available("datasets"))
    assert broken("methods") == broken("datasets") == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def broken(:\n", "line 1"),
        ("x = 1\n", "no class Method"),
        ("class Method:\n    groups = make()\n", "groups must be written out"),
        ("class Method:\n    variants = {name: {}}\n", "variants must be written out"),
        ("class Method:\n    about = {'year': 2022}\n", "about must be written out as a dict of"),
        (
            "class Method:\n    about = dict(year='2022')\n",
            "about must be written out as a dict of",
        ),
        ("\0", "null byte"),
    ],
)
def test_a_broken_file_is_told_and_harms_nobody(folder: Path, source: str, message: str) -> None:
    path = folder / "methods" / "sick.py"
    path.write_text(source)
    (bad,) = broken("methods")
    assert (bad.name, bad.origin) == ("sick", str(path))
    assert message in bad.message
    assert names("yak") == ["yak"]
    with pytest.raises(UsageError) as told:
        load("methods", "sick")
    assert str(path) in str(told.value)


def test_a_file_whose_name_is_no_module_is_told(folder: Path) -> None:
    write(folder, "red-fox")
    assert "use _ for -" in broken("methods")[0].message


def test_files_that_begin_with_an_underscore_are_no_plugins(folder: Path) -> None:
    write(folder, "_helper")
    assert "-helper" not in available("methods")


def test_a_folder_with_an_init_is_a_plugin(folder: Path) -> None:
    package = folder / "methods" / "llama"
    package.mkdir()
    write(folder, "llama/__init__")
    llama = available("methods")["llama"]
    assert llama.path == package / "__init__.py"
    assert plugins.presets_path(llama) == folder / "methods" / "presets" / "llama.yaml"
    assert load("methods", "llama").__module__ == "wsal_methods.llama"


def test_two_plugins_of_one_name_are_an_error_that_names_both(folder: Path) -> None:
    path = write(folder, "mil")
    with pytest.raises(UsageError, match="two methods are called 'mil'") as told:
        available("methods")
    assert str(path) in str(told.value)
    assert str(Path("wsal_methods") / "mil.py") in str(told.value)


def test_a_plugin_folder_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(plugins.PLUGIN_FOLDERS, "/no/such/folder")
    with pytest.raises(DataError, match="no such plugin folder"):
        available("methods")


def test_a_folder_without_plugins_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(plugins.PLUGIN_FOLDERS, str(tmp_path))
    with pytest.raises(DataError, match="neither methods/ nor datasets/"):
        available("methods")


def test_an_import_that_fails_names_file_and_cause(folder: Path) -> None:
    with pytest.raises(UsageError, match="RuntimeError: bang") as told:
        load("methods", "explosive")
    assert told.value.path == str(folder / "methods" / "explosive.py")


def test_a_class_that_is_no_method_is_refused(folder: Path) -> None:
    (folder / "methods" / "stone.py").write_text("class Method: ...\n")
    with pytest.raises(UsageError, match="no subclass"):
        load("methods", "stone")


def test_inherited_variants_must_be_written_out(folder: Path) -> None:
    (folder / "methods" / "cub.py").write_text(
        "from wsal_methods import red_panda\nclass Method(red_panda.Method): ...\n"
    )
    with pytest.raises(UsageError, match="groups are"):
        load("methods", "cub")


def test_a_namesake_in_another_folder_is_imported_afresh(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load("methods", "yak")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(elsewhere, "yak", summary="Another.")
    monkeypatch.setenv(plugins.PLUGIN_FOLDERS, str(elsewhere))
    second = load("methods", "yak")
    assert first is not second
    assert sys.modules[second.__module__].__doc__ == "Another."
    assert "red-panda" not in available("methods")


def test_a_typo_gets_a_suggestion(folder: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'simulated'"):
        load("datasets", "simulatd")
    with pytest.raises(UsageError, match="did you mean 'red-panda'"):
        names("red-pada")
    with pytest.raises(UsageError, match="did you mean 'small'"):
        names("red-panda:smal")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["red-panda"], ["red-panda:big", "red-panda:small"]),
        (["red-panda:none"], ["red-panda:none"]),
        (["red-panda:*"], ["red-panda:big", "red-panda:small", "red-panda:none"]),
        (["red-panda:*l*"], ["red-panda:small"]),
        (["zoo"], ["red-panda:big", "red-panda:small", "yak"]),
        (["*ak"], ["yak"]),
        (["yak", "red-panda:big", "zoo"], ["yak", "red-panda:big", "red-panda:small"]),
        (["yak:*"], ["yak"]),
        (["zoo:*"], ["red-panda:big", "red-panda:small", "red-panda:none", "yak"]),
    ],
)
def test_names_patterns_and_groups_combine(
    folder: Path, texts: list[str], expected: list[str]
) -> None:
    assert names(*texts) == expected


def test_the_baseline_group_is_the_published_one() -> None:
    assert set(names("baseline")) == {"mil", "attention-mil", "acm-net"}
    assert names("ftcl") == ["ftcl:full", "ftcl:fsd", "ftcl:lcs"]
    assert MethodName("ftcl", "shuffled") in resolve_methods(["ftcl:*"])


def test_every_method_is_in_one_group_and_those_of_a_paper_in_another() -> None:
    found = available("methods")
    assert {one.method for one in resolve_methods(["all"])} == set(found)
    published = {one.method for one in resolve_methods(["published"])}
    assert {"acm-net", "ftcl"} <= published
    assert published == {name for name, one in found.items() if "year" in one.about}
    with pytest.raises(UsageError, match="did you mean 'published'"):
        resolve_methods(["publishd"])


def test_nothing_named_is_an_error() -> None:
    with pytest.raises(UsageError, match="no method was named"):
        resolve_methods([])


def test_an_installed_plugin_is_found_through_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zebra_pkg").mkdir()
    (tmp_path / "zebra_pkg" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    write(tmp_path, "zebra", facts='groups = ("zoo",)', summary="Has stripes.")
    (tmp_path / "methods" / "zebra.py").rename(tmp_path / "zebra_pkg" / "zebra.py")
    info = tmp_path / "zebra_pkg-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zebra-pkg\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[wsal_bench.methods]\nzebra = zebra_pkg.zebra:Method\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    zebra = available("methods")["zebra"]
    assert (zebra.summary, zebra.groups) == ("Has stripes.", ("zoo",))
    assert zebra.origin == "the package zebra-pkg"
    assert names("zoo") == ["zebra"]
    with pytest.raises(UsageError, match="RuntimeError: imported"):
        load("methods", "zebra")
    (tmp_path / "zebra_pkg" / "__init__.py").write_text("")
    assert load("methods", "zebra").__module__ == "zebra_pkg.zebra"


def test_the_digest_follows_the_source_and_that_of_the_parents(folder: Path) -> None:
    (folder / "methods" / "calf.py").write_text(
        "from wsal_methods import yak\nclass Method(yak.Method):\n    groups = ()\n"
    )
    calf = load("methods", "calf")
    before = plugins.source_digest(calf)
    assert len(before) == 64
    write(folder, "yak", summary="Changed.")
    assert plugins.source_digest(calf) != before


def test_a_method_without_a_known_file_has_no_presets(folder: Path) -> None:
    plugin = available("methods")["red-panda"]
    assert plugins.presets_path(plugin) == folder / "methods" / "presets" / "red_panda.yaml"


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process is copied for it")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("import os; os._exit(0)", "ends the process with exit code 0"),
        ("import os; os.kill(os.getpid(), 9)", "kills the process by signal 9, SIGKILL"),
        ("import faulthandler; faulthandler._sigsegv()", "signal 11, SIGSEGV (FILE, line 1, in "),
    ],
)
def test_an_import_that_would_end_the_process_is_one_sentence(
    folder: Path, line: str, says: str
) -> None:
    path = write(folder, "deadly")
    path.write_text(f"{line}\n{path.read_text()}")
    with pytest.raises(UsageError) as error:
        load("methods", "deadly")
    assert error.value.message.startswith("method 'deadly' cannot be imported: importing it ")
    assert says.replace("FILE", str(path)) in error.value.message
    assert error.value.path == str(path)
    assert load("methods", "yak").__name__ == "Method"

"""The public face: every name is there, and what needs torch is imported late."""

import subprocess
import sys
from importlib import import_module

import pytest

from wsal_bench import api


@pytest.mark.parametrize("name", api.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(api, name)
    assert found.__doc__ or not isinstance(found, type)


@pytest.mark.parametrize(("room", "names"), api._LAZY.items())
def test_a_late_name_is_the_rooms_own(room: str, names: tuple[str, ...]) -> None:
    home = import_module(f"wsal_bench.{room}")
    for name in names:
        assert getattr(api, name) is getattr(home, name) and name in api.__all__


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Metod'"):
        getattr(api, "Metod")  # noqa: B009 - a type checker knows that it is not there


def test_importing_it_imports_no_torch() -> None:
    code = "import sys, wsal_bench.api; print([n for n in ('torch', 'numba') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

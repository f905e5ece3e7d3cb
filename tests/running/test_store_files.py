"""Files of the store: whole or not there, without loss, without torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from wsal_bench import files
from wsal_bench.environment import environment
from wsal_bench.errors import DataError
from wsal_bench.localization.recipe import ACM, COMMON, ProposalRecipe
from wsal_bench.running.activation_file import read_activations, write_activations
from wsal_bench.running.recipe_file import recipe_from_json
from wsal_bench.types import Activations


def said(length: int, dtype: str = "float32") -> Activations:
    """Activations of a video of some snippets and two classes."""
    generator = np.random.default_rng(length)
    return Activations(
        scores={"cas": generator.normal(size=(length, 2)).astype(dtype)},
        gates={
            "attention": generator.random(length).astype(dtype),
            "wide": generator.random((length, 2)),
        },
        video_scores=generator.random(2),
        times=np.arange(length + 1) * 0.5,
    )


@examples(10)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_activations_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int]
) -> None:
    path = tmp_path_factory.mktemp("a") / "activations.npz"
    before = {f"video{index}": said(length) for index, length in enumerate(lengths)}
    write_activations(path, before)
    after = read_activations(path)
    assert list(after) == list(before)
    for name, value in before.items():
        for field in ("scores", "gates"):
            for key, array in getattr(value, field).items():
                again = getattr(after[name], field)[key]
                assert again.dtype == array.dtype
                assert (again == array).all()
        assert (after[name].video_scores == value.video_scores).all()
        assert (after[name].times == value.times).all()


def test_activations_of_two_precisions_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'b' are"):
        write_activations(tmp_path / "a.npz", {"a": said(2), "b": said(2, "float64")})


@pytest.mark.parametrize("kept", [0, 10, 300, -1])
def test_half_a_file_of_activations_is_no_file(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.npz"
    write_activations(path, {"a": said(3)})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"a\.npz"):
        read_activations(path)


def test_equal_arrays_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_activations(tmp_path / name, {"a": said(3)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_what_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.replacing(path) as file:
        file.write(b"new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_json_file_holds_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"score": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("recipe", [ACM, COMMON], ids=lambda recipe: recipe.name)
def test_a_recipe_comes_back_from_json(recipe: ProposalRecipe) -> None:
    assert recipe_from_json(recipe.to_json(), Path("record.json")) == recipe


def test_half_a_recipe_is_none() -> None:
    with pytest.raises(DataError, match=r"record\.json"):
        recipe_from_json({"name": "common"}, Path("record.json"))


def test_the_environment_says_where_a_number_was_made() -> None:
    here = environment()
    assert here["numpy"] == np.__version__
    assert here["python"] == ".".join(map(str, sys.version_info[:3]))
    assert here["cores"] >= 1
    assert here["cpu"] == here["device_name"]


def test_reading_the_store_imports_no_torch() -> None:
    code = (
        "import sys\n"
        "import wsal_bench.running.results, wsal_bench.running.specs\n"
        "import wsal_bench.plugins, wsal_bench.environment\n"
        "wsal_bench.environment.environment()\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

"""From a request to its cells."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.datasets.conftest import Folder
from tests.running.toys import request
from wsal_bench.cli.progress import defaults_used
from wsal_bench.config import Found, Preset, read_presets
from wsal_bench.errors import DataError, UnavailableError, UsageError
from wsal_bench.running import resolution
from wsal_bench.running.cells import Cell, RunSpec
from wsal_bench.running.specs import plan


def planned(*methods: str, **options: Any) -> dict[str, Cell]:
    """The cells by the method's name; one seed."""
    return {cell.spec.name: cell for cell in plan(request(Path("r"), *methods, **options))}


def scale(**options: Any) -> float:
    return float(planned("plain", **options)["plain"].spec.config["scale"])


def test_a_parent_is_planned_once_before_its_children() -> None:
    cells = plan(request(Path("r"), "child"))
    assert [cell.spec.name for cell in cells] == ["toy", "child:first", "child:second"]
    assert [cell.asked for cell in cells] == [False, True, True]
    assert cells[0].inherited
    assert {cell.spec.needs["start"].cell for cell in cells[1:]} == {cells[0].key}


def test_a_parent_that_is_asked_for_too_is_one_cell() -> None:
    cells = plan(request(Path("r"), "child:first", "toy"))
    assert [(cell.spec.name, cell.asked) for cell in cells] == [
        ("toy", True),
        ("child:first", True),
    ]


def test_each_seed_has_a_cell_in_the_same_hash() -> None:
    cells = plan(request(Path("r"), "plain", seeds=(0, 3)))
    assert [cell.key for cell in cells] == [
        f"tiny/plain/{cells[0].spec.hash}/seed0",
        f"tiny/plain/{cells[0].spec.hash}/seed3",
    ]


def test_each_data_seed_has_a_hash_of_its_own() -> None:
    cells = plan(request(Path("r"), "plain", data_seeds=(0, 1)))
    assert len({cell.spec.hash for cell in cells}) == 2


def test_reference_rows_come_first_for_each_data_set_and_seed() -> None:
    names = [cell.spec.name for cell in plan(request(Path("r"), "plain", floors=True))]
    assert names == ["floor:random", "floor:constant", "ceiling:oracle", "plain"]


def test_the_order_of_flags_changes_no_hash() -> None:
    sets = ("toy.width=3", "toy.epochs=2", "child:first.epochs=1", "child.epochs=2")
    one, other = (planned("child", sets=order) for order in (sets, sets[::-1]))
    assert {name: cell.key for name, cell in one.items()} == {
        name: cell.key for name, cell in other.items()
    }
    assert one["child:first"].spec.config["epochs"] == 1
    assert one["child:second"].spec.config["epochs"] == 2


@pytest.mark.parametrize("change", ["threads", "precision", "data", "parent"])
def test_whatever_moves_a_number_changes_the_hash(change: str) -> None:
    options: dict[str, dict[str, Any]] = {
        "threads": {"threads": 2},
        "precision": {"precision": "bf16"},
        "data": {"sets": ("tiny.noise=0.2",)},
        "parent": {"sets": ("toy.epochs=3",)},
    }
    before, after = planned("child"), planned("child", **options[change])
    assert before["child:first"].spec.hash != after["child:first"].spec.hash


def test_a_specification_survives_json() -> None:
    spec = planned("child", sets=("child.epochs=2",))["child:first"].spec
    again = RunSpec.from_json(spec.to_json())
    assert (again, again.hash) == (spec, spec.hash)


def test_the_data_set_names_the_preset() -> None:
    assert scale() == 2.0


def test_a_preset_by_name_beats_the_data_sets_and_quick() -> None:
    assert scale(preset="other") == 3.0
    assert scale(preset="other", quick=True) == 3.0


def test_quick_uses_the_quick_preset_and_the_quick_size() -> None:
    spec = planned("plain", quick=True)["plain"].spec
    assert spec.config["scale"] == 4.0
    assert spec.data.config["num_test"] == 2
    assert spec.quick


def test_the_file_beats_the_preset_and_set_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text("plain: {scale: 7}\ntiny: {noise: 0.5}\n")
    assert scale(config_file=file) == 7.0
    assert scale(config_file=file, sets=("plain.scale=8",)) == 8.0
    assert planned("plain", config_file=file)["plain"].spec.data.config["noise"] == 0.5


def test_a_method_without_presets_runs_on_its_defaults() -> None:
    assert planned("toy")["toy"].spec.config["epochs"] == 6


def test_published_means_the_defaults_of_all() -> None:
    cells = planned("plain", "toy", preset="published")
    assert cells["plain"].spec.config["scale"] == 1.0
    assert {cell.spec.found for cell in cells.values()} == {(Found("published"),)}


def test_a_preset_that_some_method_has_blocks_no_other() -> None:
    cells = planned("plain", "toy", preset="other")
    assert cells["plain"].spec.config["scale"] == 3.0
    assert cells["toy"].spec.config["epochs"] == 6
    assert defaults_used(list(cells.values())) == [
        "no preset 'other' of toy: it runs on its defaults"
    ]


def test_a_method_with_presets_but_not_this_one_runs_on_its_defaults(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write()  # its description names no preset
    cell = planned("plain", datasets=(f"folder:{folder.path}",))["plain"]
    assert cell.spec.config["scale"] == 1.0
    assert cell.spec.found == (Found("published"),)


def test_a_child_carries_how_the_options_of_its_parent_were_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched = {"tiny": Preset("tiny", {}, Found("weak", trials=12))}
    read = read_presets
    monkeypatch.setattr(
        resolution,
        "read_presets",
        lambda path: searched if path and path.stem == "toy" else read(path),
    )
    assert planned("child")["child:first"].spec.found == (
        Found("published"),
        Found("weak", trials=12),
    )


def test_how_options_were_found_is_in_no_hash() -> None:
    spec = planned("plain")["plain"].spec
    assert replace(spec, found=(Found("weak", trials=3),)).hash == spec.hash
    assert replace(spec, max_steps=5).hash != spec.hash


def test_a_specification_from_before_knows_not_how_options_were_found() -> None:
    document = planned("plain")["plain"].spec.to_json()
    del document["found"], document["max_steps"]
    assert RunSpec.from_json(document).found == (Found("unknown"),)


def test_a_shared_option_comes_from_the_parent() -> None:
    cells = planned("child", sets=("toy.width=9",))
    assert cells["child:first"].spec.config["width"] == 9


def test_what_was_set_by_hand_is_kept_for_readers() -> None:
    assert planned("toy", sets=("toy.epochs=3",))["toy"].spec.by_hand == ("toy.epochs=3",)


def test_what_was_set_by_hand_on_a_parent_is_kept_with_its_child() -> None:
    cells = planned("child:first", sets=("toy.epochs=3",))
    assert cells["child:first"].spec.by_hand == ("toy.epochs=3",)


def test_options_of_the_data_set_are_set_by_hand_for_every_row(tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text("tiny: {num_test: 3}\n")
    sets = ("tiny.noise=0.2", "toy.epochs=3")
    cells = planned("child:first", sets=sets, config_file=file, floors=True)
    of_data = ("tiny.num_test=3", "tiny.noise=0.2")
    assert {name: cell.spec.by_hand for name, cell in cells.items()} == {
        "floor:random": of_data,
        "floor:constant": of_data,
        "ceiling:oracle": of_data,
        "toy": ("toy.epochs=3", *of_data),
        "child:first": ("toy.epochs=3", *of_data),
    }


@pytest.mark.parametrize(
    ("methods", "options", "message"),
    [
        (("child",), {"sets": ("child.width=3",)}, "read from toy"),
        (("plain",), {"sets": ("plan.scale=3",)}, "did you mean 'plain'"),
        (("plain",), {"sets": ("toy.epochs=3",)}, "not in this run"),
        (("child:first",), {"sets": ("child:second.epochs=3",)}, "not in this run"),
        (("plain",), {"sets": ("plain.scala=3",)}, "did you mean 'scale'"),
        (("plain",), {"sets": ("plain.scale=a",)}, "plain.scale = 'a'"),
        (("plain",), {"sets": ("plain.scale=1", "plain.scale=2")}, "set twice"),
        (("plain",), {"sets": ("tiny.nois=1",)}, "did you mean 'noise'"),
        (("plain",), {"preset": "smal"}, "a preset 'smal'; did you mean 'small'"),
        (("plain",), {"protocol": "thumos14/common"}, "tiny/common"),
        (("plain",), {"recipe": "comon"}, "did you mean 'common'"),
        (("plain",), {"recipe": "owm"}, "did you mean 'own'"),
        (("plain",), {"datasets": ("tony",)}, "did you mean 'tiny'"),
        (("plain",), {"datasets": ()}, "no data set"),
        (("plain",), {"datasets": ("tiny:x",)}, "tiny takes no path, not 'x'"),
        (("plain",), {"datasets": ("tiny:",)}, "tiny takes no path, not ''"),
        (("plan",), {}, "did you mean 'plain'"),
        (("child:frist",), {}, "did you mean 'first'"),
        (("plain",), {"seeds": (-1,)}, "--seeds"),
        (("plain",), {"seeds": ()}, "--seeds names nothing"),
        (("plain",), {"data_seeds": ()}, "--data-seeds names nothing"),
        (("plain",), {"threads": 0}, "--threads 0"),
        (("plain",), {"jobs": 0}, "-j 0"),
        (("plain",), {"num_workers": -1}, "--num-workers -1"),
        (("plain",), {"precision": "fp16"}, "fp16"),
        (("plain",), {"device": "gpu"}, "no device 'gpu'"),
        (("picky",), {}, "picky on tiny: this method needs the streams"),
        (("child",), {"sets": ("child:second.learning_rate=0.01",)}, "the same cell"),
    ],
)
def test_a_mistake_is_said_before_anything_trains(
    methods: tuple[str, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        plan(request(Path("r"), *methods, **options))


def test_a_config_file_that_is_not_there_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        plan(request(tmp_path, "plain", config_file=tmp_path / "none.yaml"))


def test_a_device_that_is_not_there_is_unavailable() -> None:
    import torch

    name = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(UnavailableError, match=name):
        plan(request(Path("r"), "plain", device=name))


def test_common_stands_for_the_data_sets_own_common_protocol() -> None:
    assert planned("plain", protocol="common")["plain"].protocol.name == "tiny/common"


def folder(path: Path, name: str = "mine", fps: int = 25) -> str:
    path.mkdir()
    made = Folder(path)
    made.description |= {"name": name, "fps": fps}
    made.write()
    return f"folder:{path}"


def test_two_data_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    texts = (folder(tmp_path / "one"), folder(tmp_path / "two", fps=20))
    with pytest.raises(UsageError, match="are both called 'mine'") as caught:
        planned("toy", datasets=texts)
    assert all(text in str(caught.value) for text in texts)


def test_a_copy_of_a_data_set_is_the_same_data_set(tmp_path: Path) -> None:
    texts = (folder(tmp_path / "one"), folder(tmp_path / "two"))
    assert len(plan(request(tmp_path, "toy", datasets=texts))) == 1


def test_data_of_two_seeds_are_no_namesakes() -> None:
    assert len(plan(request(Path("r"), "toy", data_seeds=(0, 1), datasets=("tiny",)))) == 2


def test_a_folder_may_not_be_called_like_an_installed_data_set(tmp_path: Path) -> None:
    text = folder(tmp_path / "one", name="tiny")
    with pytest.raises(UsageError, match="as is the installed data set tiny") as caught:
        planned("toy", datasets=(text,))
    assert text in str(caught.value)

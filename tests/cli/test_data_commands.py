"""`wsal-bench data`: import, validate, stats, path and template, as a user calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.made_up import Cli
from tests.data.made_up import LENGTH, write_acm, write_per_video
from tests.data.test_checksums import as_first_schema, flip, rewrite
from tests.datasets.test_hapt import write_archive
from wsal_bench.data.description import read
from wsal_bench.data.places import VARIABLE

GRID = ("--fps", 25, "--stride", 16)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data root of a test."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def src(tmp_path: Path) -> Path:
    return write_acm(tmp_path / "src")


def test_import_says_what_was_recognised_and_what_was_made(cli: Cli, src: Path, root: Path) -> None:
    done = cli("data", "import", src, "--as", "mine", *GRID)
    assert done.exit_code == 0, done.stderr
    assert "acm (ACM-Net, FTCL, ASM-Loc), 4 videos" in done.stderr
    assert done.stdout == (
        "mine: 2 train videos (20 snippets), 2 test videos (20 snippets), 2 classes, "
        f"4 columns of float32, in {root / 'mine'}\n"
    )
    assert cli("data", "path", "mine").stdout.strip() == str(root / "mine")


def test_import_as_json_is_one_document(cli: Cli, src: Path) -> None:
    done = cli("data", "import", src, "--as", "mine", *GRID, "--json")
    found = json.loads(done.stdout)
    assert found["schema"] == "wsal-bench/import/1"
    assert found["data"]["videos"] == {"test": 2, "train": 2}
    assert found["data"]["classes"] == ["jump", "run"]


def test_the_grid_may_stand_in_dataset_yaml(cli: Cli, src: Path) -> None:
    (src / "dataset.yaml").write_text(
        "name: x\nfps: 30\nstride: 8\nsubsets: {train: train, test: test}\noverhang: 9\n"
    )
    done = cli("data", "import", src, "--as", "mine", "--overhang", 9, "--json")
    assert json.loads(done.stdout)["data"]["fps"] == 30


def test_an_imported_set_trains_to_the_numbers_of_the_folder_itself(
    cli: Cli, src: Path, tmp_path: Path
) -> None:
    (src / "dataset.yaml").write_text(
        "name: x\nfps: 25\nstride: 16\npreset: small\nsubsets: {train: train, test: test}\n"
    )
    assert cli("data", "import", src, "--as", "mine").exit_code == 0
    scores = []
    for dataset in (f"folder:{src}", "imported:mine"):
        done = cli(
            "run", "--methods", "mil", "--datasets", dataset, "--quick",
            "--results", tmp_path / dataset.partition(":")[0], "--json",
        )  # fmt: skip
        assert done.exit_code == 0, done.stderr
        rows = json.loads(done.stdout)["data"]["cells"]
        scores.append([row["map"] for row in rows if row["method"] == "mil"])
    assert scores[0] == scores[1]
    assert scores[0]


def test_an_imported_set_keeps_the_preset_of_its_description(cli: Cli, src: Path) -> None:
    (src / "dataset.yaml").write_text(
        "name: x\nfps: 25\nstride: 16\npreset: small\nsubsets: {train: train, test: test}\n"
    )
    assert cli("data", "import", src, "--as", "mine").exit_code == 0
    options = ("--methods", "mil", "--datasets", "imported:mine", "--dry-run", "--json")
    *_, cell = json.loads(cli("run", *options).stdout)["data"]["cells"]
    assert (cell["method"], cell["preset"]) == ("mil", "preset small")


def test_an_imported_set_without_a_description_runs_on_defaults_and_says_so_once(
    cli: Cli, src: Path
) -> None:
    assert cli("data", "import", src, "--as", "mine", *GRID).exit_code == 0
    done = cli("run", "--methods", "baseline", "--datasets", "imported:mine", "--dry-run")
    assert done.exit_code == 0
    said = "no preset 'mine' of acm-net, attention-mil, mil: they run on their defaults"
    assert done.stderr.count(said) == 1


MIL = ("run", "--methods", "mil", "--datasets", "imported:mine", "--quick", "--in-process")


def test_changed_features_end_a_run_in_one_sentence_until_they_are_imported_again(
    cli: Cli, src: Path, root: Path, tmp_path: Path
) -> None:
    cli("data", "import", src, "--as", "mine", *GRID)
    flip(root / "mine" / "test.npy", -3)
    done = cli(*MIL, "--results", tmp_path / "results")
    assert done.exit_code == 3
    assert "Traceback" not in done.stderr
    (said,) = (line for line in done.stderr.splitlines() if line.startswith("error"))
    assert f"{root / 'mine' / 'test.npy'}: video 'video_test_3': rows 10 to 19 are not" in said
    checked = cli("data", "validate", "mine")
    assert checked.exit_code == 3
    assert checked.stdout.startswith("checksum: 1\n")
    assert cli("data", "import", src, "--as", "mine", *GRID, "--replace").exit_code == 0
    assert cli("data", "validate", "mine").exit_code == 0


def test_a_run_on_an_unsealed_data_set_says_once_how_it_gets_its_seal(
    cli: Cli, src: Path, root: Path, tmp_path: Path
) -> None:
    cli("data", "import", src, "--as", "mine", *GRID)
    rewrite(root / "mine", as_first_schema)
    run = (*MIL, "--seeds", "0-1", "--results", tmp_path / "results")
    hint = "wsal-bench data validate mine --seal adds both"
    done = cli(*run)
    assert (done.exit_code, done.stderr.count(hint)) == (0, 1)
    assert f"{root / 'mine'}: sealed" in cli("data", "validate", "mine", "--seal").stderr
    assert "was sealed already" in cli("data", "validate", "mine", "--seal").stderr
    again = cli(*run)
    assert hint not in again.stderr
    assert "0 new" in again.stderr, "it is the same data"


def test_only_an_imported_data_set_without_problems_is_sealed(
    cli: Cli, src: Path, root: Path
) -> None:
    done = cli("data", "validate", src, *GRID, "--seal")
    assert done.exit_code == 2
    assert "is no imported data set" in done.stderr
    cli("data", "import", src, "--as", "mine", *GRID)
    rewrite(root / "mine", as_first_schema)
    flip(root / "mine" / "train.npy", -3)
    before = (root / "mine" / "index.json").read_bytes()
    assert cli("data", "validate", "mine", "--seal").exit_code == 3
    assert (root / "mine" / "index.json").read_bytes() == before


def test_importing_twice_needs_replace(cli: Cli, src: Path) -> None:
    cli("data", "import", src, "--as", "mine", *GRID)
    again = cli("data", "import", src, "--as", "mine", *GRID)
    assert again.exit_code == 2
    assert "a data set 'mine' is there already" in again.stderr
    assert cli("data", "import", src, "--as", "mine", *GRID, "--replace").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("SRC",), 2, "the data set needs a name"),
        (("SRC", "--as", "a/b", *GRID), 2, "cannot be called 'a/b'"),
        (("SRC", "--as", "mine"), 2, "how snippets lie in time; --fps"),
        (("hapd", "SRC"), 2, "no data set 'hapd' that reads an archive of its own; did you mean"),
        (("a", "b", "c"), 2, "3 sources were given"),
        (("NONE", "--as", "mine", *GRID), 3, "no such folder"),
        (("SRC", "--as", "mine", *GRID, "--group", "(person"), 2, "no regular expression"),
        (("SRC", "--as", "mine", *GRID, "--group", "(person)"), 2, "finds nothing in the name"),
        (("SRC", "--as", "mine", *GRID, "--truth", "NONE"), 3, "cannot be read"),
        (("SRC", "--as", "activitynet12"), 3, "truth shows 2 classes; the published data set has"),
    ],
)
def test_what_import_cannot_do_is_one_sentence(
    cli: Cli, src: Path, tmp_path: Path, arguments: tuple[Any, ...], code: int, said: str
) -> None:
    places = {"SRC": src, "NONE": tmp_path / "none"}
    done = cli("data", "import", *(places.get(one, one) for one in arguments))
    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_subcommand_gets_the_nearest_one(cli: Cli) -> None:
    done = cli("data", "improt")
    assert done.exit_code == 2
    assert "no command 'data improt'; did you mean 'import'" in done.stderr


def _rewrites_truth(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def breaks(src: Path) -> None:
        document = json.loads((src / "gt.json").read_text())
        change(document["database"])
        (src / "gt.json").write_text(json.dumps(document))

    return breaks


def _saves(array: Any) -> Callable[[Path], None]:
    return lambda src: np.save(src / "train" / "video_train_0.npy", array)


def _lists_twice(src: Path) -> None:
    (src / "split_test.txt").write_text("video_test_2\nvideo_test_3\nvideo_train_0\n")
    np.save(src / "test" / "video_train_0.npy", np.zeros((LENGTH, 4), np.float32))


@pytest.mark.parametrize(
    ("breaks", "code"),
    [
        (lambda src: (src / "train" / "video_train_0.npy").unlink(), "unreadable"),
        (_saves(np.full((LENGTH, 4), np.inf, np.float32)), "not-finite"),
        (_saves(np.zeros((LENGTH, 5), np.float32)), "width"),
        (_saves(np.zeros((1, 4), np.float32)), "too-short"),
        (_rewrites_truth(lambda database: database.pop("video_train_0")), "no-truth"),
        (
            _rewrites_truth(
                lambda database: database["video_test_2"]["annotations"][0].update(segment=[3, 3])
            ),
            "segment",
        ),
        (_lists_twice, "split-overlap"),
    ],
)
def test_validate_lists_every_kind_of_problem(
    cli: Cli, src: Path, breaks: Callable[[Path], None], code: str
) -> None:
    breaks(src)
    done = cli("data", "validate", src, *GRID, "--json")
    assert done.exit_code == 3, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == "wsal-bench/validate/1"
    assert code in {problem["code"] for problem in found["data"]["problems"]}
    plain = cli("data", "validate", src, *GRID)
    assert f"{code}: 1\n" in plain.stdout


def test_validate_finds_an_unknown_class_of_a_known_data_set(cli: Cli, src: Path) -> None:
    done = cli("data", "validate", src, "--as", "thumos14")
    assert done.exit_code == 3
    assert "unknown-class: 4" in done.stdout


def test_validate_of_good_data_says_so(cli: Cli, src: Path) -> None:
    done = cli("data", "validate", src, *GRID)
    assert (done.exit_code, done.stdout) == (0, "4 videos, no problems\n")
    cli("data", "import", src, "--as", "mine", *GRID)
    assert cli("data", "validate", "mine").stdout == "4 videos, no problems\n"


def test_validate_of_nothing_says_where_it_looked(cli: Cli, root: Path) -> None:
    done = cli("data", "validate", "nothing", *GRID)
    assert done.exit_code == 3
    assert f"no imported data set of that name in {root}" in done.stderr


def test_import_of_bad_data_tells_all_problems_and_exits_with_3(cli: Cli, src: Path) -> None:
    _saves(np.zeros((LENGTH, 5), np.float32))(src)
    (src / "test" / "video_test_3.npy").write_bytes(b"")
    done = cli("data", "import", src, "--as", "mine", *GRID)
    assert done.exit_code == 3
    # the first good video decides the width, so three others differ from the broken one
    assert "problems with features or truth" in done.stderr
    assert "video_test_3" in done.stderr
    error = json.loads(cli("data", "import", src, "--as", "mine", *GRID, "--json").stdout)
    assert error["schema"] == "wsal-bench/error/1"


def test_hapt_imports_from_its_archive_and_runs(cli: Cli, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "archive", people=(1, 2, 3))
    done = cli("data", "import", "hapt", archive)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("hapt: 4 train videos (200 snippets), 2 test videos")
    ran = cli(
        "run", "--datasets", "hapt", "--methods", "mil", "--quick", "--results", tmp_path / "r"
    )
    assert ran.exit_code == 0, ran.stderr


def test_a_data_set_that_was_not_imported_says_how(cli: Cli, tmp_path: Path) -> None:
    done = cli("run", "--datasets", "thumos14", "--methods", "mil", "--results", tmp_path / "r")
    assert done.exit_code == 3
    assert "wsal-bench data import SRC --as thumos14 makes it" in done.stderr


def test_stats_prints_facts_and_what_labels_cannot_tell(cli: Cli, tmp_path: Path) -> None:
    database = {
        f"{split}-{number}": {
            "subset": split,
            "duration": 10.0,
            "annotations": [
                {"segment": [0.0, 4.0], "label": "dive"},
                {"segment": [2.0, 6.0], "label": "cliff"},
            ][: 2 - number],
        }
        for split in ("train", "test")
        for number in (0, 1)
    }
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"database": database}))
    done = cli("data", "stats", path, "--classes", "--out", tmp_path / "pictures")
    assert done.exit_code == 0, done.stderr
    assert "dive is in all of the 1 videos of cliff" in done.stdout
    assert len(list((tmp_path / "pictures").iterdir())) == 6
    found = json.loads(cli("data", "stats", path, "--json").stdout)
    assert found["schema"] == "wsal-bench/stats/1"
    train = found["data"]["splits"]["train"]
    assert (train["videos"], train["instances"], train["pooled_foreground"]) == (2, 3, 0.5)


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("simulatd", 2, "did you mean 'simulated'"),
        ("simulated:x", 2, "takes no path"),
        ("none.json", 3, "no such truth file"),
        ("hapt", 3, "wsal-bench data import hapt ARCHIVE.zip makes it"),
    ],
)
def test_stats_of_what_is_not_there(cli: Cli, name: str, code: int, said: str) -> None:
    done = cli("data", "stats", name)
    assert done.exit_code == code
    assert said in done.stderr


def test_path_without_a_name_is_the_data_root(cli: Cli, root: Path) -> None:
    assert cli("data", "path").stdout.strip() == str(root)
    missing = cli("data", "path", "mine")
    assert missing.exit_code == 3
    assert "no imported data set 'mine'" in missing.stderr


def test_the_template_validates_and_runs_and_is_never_overwritten(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "example"
    assert cli("data", "template", folder).exit_code == 0
    assert cli("data", "validate", folder).exit_code == 0
    ran = cli(
        "run", "--methods", "mil", "--datasets", f"folder:{folder}", "--results", tmp_path / "r"
    )
    assert ran.exit_code == 0, ran.stderr
    assert "example/mil@0" in cli("list", "runs", "--results", tmp_path / "r").stdout
    again = cli("data", "template", folder)
    assert again.exit_code == 3
    assert "is there already, and nothing is overwritten" in again.stderr


@pytest.mark.parametrize(
    ("folder", "name"), [("my-data", "my-data"), ("12", "12"), ("ä b", "example")]
)
def test_the_template_is_called_like_its_folder(
    folder: str, name: str, cli: Cli, tmp_path: Path
) -> None:
    assert cli("data", "template", tmp_path / folder).exit_code == 0
    assert read(tmp_path / folder / "dataset.yaml").name == name


def test_data_root_chooses_where_imports_go(cli: Cli, tmp_path: Path) -> None:
    src = write_per_video(tmp_path / "files", "h5")
    elsewhere = tmp_path / "elsewhere"
    cli("data", "import", src, "--as", "mine", *GRID, "--data-root", elsewhere)
    assert (elsewhere / "mine" / "index.json").is_file()
    assert cli("data", "path", "mine").exit_code == 3


def test_validate_warns_of_classes_in_one_split_and_of_spellings(cli: Cli, src: Path) -> None:
    truth = json.loads((src / "gt.json").read_text())
    first, *_ = (v for v in truth["database"].values() if v["subset"] == "test")
    first["annotations"][0]["label"] = "R un"
    (src / "gt.json").write_text(json.dumps(truth))
    done = cli("data", "validate", src, *GRID, "--json")
    assert done.exit_code == 0, done.stdout  # warnings are no problems
    found = json.loads(done.stdout)["data"]
    assert found["ok"]
    assert {one["code"] for one in found["warnings"]} == {"spelling", "one-split"}
    plain = cli("data", "validate", src, *GRID).stdout
    assert "'R un' and 'run' differ in case or spaces only" in plain
    assert "1 class in train only" in plain or "1 class in test only" in plain
    assert "no problems, " in plain.splitlines()[-1] and "warning" in plain.splitlines()[-1]
    kept = cli("data", "import", src, "--as", "mine", *GRID).stdout
    assert "differ in case or spaces only" in kept

"""`wsal-bench profile` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.made_up import Cli

pytestmark = pytest.mark.usefixtures("small_heap")
SMALL = ("--kernels", "fsd_score,cosine_similarity", "--backends", "torch,fused", "--batch", "2")
FAST = (*SMALL, "--length", "3,4", "--dim", "4", "--repeats", "2")
FIELDS = {
    "kernel", "backend", "device", "dtype", "batch", "length", "pass", "seconds_median",
    "seconds_min", "peak_bytes", "reference_ratio",
}  # fmt: skip


def test_the_table_goes_to_stdout_and_progress_to_stderr(cli: Cli) -> None:
    done = cli("profile", "kernels", *FAST)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("| kernel")
    assert done.stdout.count("\n") == 2 + 2 * 2 * 2
    assert "fsd_score B=2 L=3 float32: checking" in done.stderr


def test_the_document_has_the_fields_that_it_promises(cli: Cli) -> None:
    done = cli("profile", "kernels", *FAST, "--json")
    document = json.loads(done.stdout)
    assert document["schema"] == "wsal-bench/profile/1"
    assert all(row.keys() >= FIELDS for row in document["data"]["rows"])
    assert all(len(row["seconds"]) == 2 for row in document["data"]["rows"])
    assert document["data"]["environment"]["threads"] == 1


def test_out_gets_the_document_and_the_plot(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    done = cli("profile", "kernels", *FAST, "--json", "--out", out)
    assert (out / "profile.json").read_text() == done.stdout
    assert (out / "profile.svg").read_text().count("fsd_score") >= 1
    assert (out / "profile.png").read_bytes().startswith(b"\x89PNG")


def edited(out: Path, factor: float) -> Path:
    """The document as if its ratios had been larger by a factor."""
    document = json.loads((out / "profile.json").read_text())
    for row in document["data"]["rows"]:
        row["reference_ratio"] *= factor
    path = out / "old.json"
    path.write_text(json.dumps(document))
    return path


def test_compare_passes_what_was_slower_and_fails_what_was_faster(cli: Cli, tmp_path: Path) -> None:
    cli("profile", "kernels", *FAST, "--out", tmp_path)
    fine = cli("profile", "kernels", *FAST, "--compare", edited(tmp_path, 1e-9))
    assert fine.exit_code == 0, fine.stderr
    assert "compared 8 rows, 0 worse" in fine.stderr
    worse = cli("profile", "kernels", *FAST, "--compare", edited(tmp_path, 1e9))
    assert worse.exit_code == 5
    assert "fsd_score torch cpu float32 B=2 L=4 forward+backward" in worse.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--kernels", "fsd"), 2, "did you mean 'fsd_score'"),
        (("--length", "0"), 2, "are no sizes"),
        (("--length", "5,x"), 2, "are no sizes"),
        (("--dtype", "float16"), 2, "no dtype 'float16'"),
        (("--max-regression", "120%"), 2, "not from 0% to less than 100%"),
        (("--max-regression", "much"), 2, "is no share"),
        (("--device", "tpu"), 2, "is no device"),
        (("--compare", "nowhere.json"), 3, "nowhere.json: cannot be read"),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_is_measured(
    cli: Cli, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = cli("profile", "kernels", *arguments)
    assert done.exit_code == code
    assert says in done.stderr
    assert "checking" not in done.stderr


def test_compiled_code_gets_the_threads_that_were_asked_for(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool of a peer that takes all cores slows down whatever is measured in turn with it."""
    set_to: list[int] = []
    monkeypatch.setattr("numba.set_num_threads", set_to.append)
    done = cli("profile", "kernels", *FAST, "--threads", "1")
    assert done.exit_code == 0, done.stderr
    assert set_to[0] == 1 and len(set_to) == 2

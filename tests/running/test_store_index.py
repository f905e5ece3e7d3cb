"""The index beside a store: what tables show is the same with it, without it, and after changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.made_up import MadeUpStore
from wsal_bench import files
from wsal_bench.errors import DataError
from wsal_bench.running import index as indexing
from wsal_bench.running.lookup import find_runs, summaries
from wsal_bench.running.names import Chosen
from wsal_bench.running.results import ResultStore, RunFiles, ScoreKey

OWN = ScoreKey("own", "simulated/common")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MadeUpStore:
    """Seven runs, and an index although they are so few."""
    monkeypatch.setattr(indexing, "_WORTH", 1)
    made = MadeUpStore(tmp_path)
    made.add_grid("fast", 0.9)
    made.add("slow", 0.1)
    return made


def listed(store: MadeUpStore) -> list[dict[str, object]]:
    with ResultStore(store.path).indexed() as contents:
        return summaries(contents, Chosen())


def test_a_store_is_listed_the_same_with_an_index_and_without(
    store: MadeUpStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = listed(store)
    assert (store.path / indexing.INDEX).exists()
    assert {round(float(str(line["mAP"])), 6) for line in first} == {0.1, 0.9}
    with monkeypatch.context() as patched:
        patched.setattr(indexing, "read_record", None)  # nothing is read but the index
        assert listed(store) == first
    (store.path / indexing.INDEX).write_bytes(b"no index")
    assert listed(store) == first


def test_what_changes_is_read_again(store: MadeUpStore) -> None:
    listed(store)
    place = RunFiles(store.add("new", 0.45))
    assert {line["method"] for line in listed(store)} == {"fast", "new", "slow"}
    path = place.scores("own", "simulated/common")
    path.write_text(path.read_text().replace("0.45", "1.45"))
    (line,) = [line for line in listed(store) if line["method"] == "new"]
    assert line["status"] == "damaged" and "outside [0, 1]" in str(line["error"])
    place.record.unlink()
    assert {line["method"] for line in listed(store)} == {"fast", "slow"}


def test_scores_of_the_index_have_no_matches_and_the_file_has(store: MadeUpStore) -> None:
    for _ in range(2):
        with ResultStore(store.path).indexed() as contents:
            run = next(run for run in contents.runs if run.spec.method == "slow")
            scores = run.scores.summary(OWN)
            assert scores is not None
            assert (scores.headline, scores.protocol) == (
                run.scores[OWN].headline, run.scores[OWN].protocol,
            )  # fmt: skip


def test_a_run_that_is_found_has_all_of_its_record(store: MadeUpStore) -> None:
    store.add("told", 0.4, record={"environment": {"cpu": "of 1985"}})
    for _ in range(2):
        (run,) = find_runs(store.path, "told")
        assert run.record["environment"] == {"cpu": "of 1985"}


def test_an_index_of_a_folder_that_cannot_be_written_is_not_missed(
    store: MadeUpStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(path: Path, text: str) -> None:
        raise DataError("cannot be written", path=path)

    monkeypatch.setattr(files, "write_text", refuses)
    assert len(listed(store)) == 7

"""Checkpoints: what is read of them, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.inference.conftest import Stored
from tests.running.toys import request
from wsal_bench.errors import DataError, UsageError, WsalError
from wsal_bench.evaluation.formats import detections_from_npz
from wsal_bench.inference.feature_files import find_features
from wsal_bench.inference.stream import Choice, segments_of
from wsal_bench.inference.trained import open_trained, run_directory
from wsal_bench.localization.recipe import ProposalRecipe
from wsal_bench.report.timeline import by_score
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.running.inputs import Inputs
from wsal_bench.running.learning import by_video
from wsal_bench.running.results import RunFiles
from wsal_bench.running.runner import run
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import Proposals, Video


def last(directory: Path) -> Path:
    return directory / "checkpoints" / "last.pt"


def change_record(directory: Path, **values: Any) -> None:
    path = RunFiles(directory).record
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def seal(path: Path, content: object) -> None:
    """Writes a file of torch with the digest that this program puts behind its own."""
    torch.save(content, path)
    payload = path.read_bytes()
    path.write_bytes(payload + b"sha256:%s\n" % hashlib.sha256(payload).hexdigest().encode())


def test_the_run_wrote_down_what_its_inputs_were(stored: Stored) -> None:
    record = json.loads(RunFiles(stored.directory).record.read_text())
    assert record["inputs"] == {
        "feature_dim": 4,
        "class_names": ["rise", "fall"],
        "streams": {},
        "grid": {"fps": 10, "stride": 10, "offset": 0.0},
    }
    again = Inputs.from_json(record["inputs"], stored.directory)
    assert again.to_json() == record["inputs"] and again.grid == TimeGrid(10, 10)


def test_the_same_features_give_the_segments_of_the_run(stored: Stored) -> None:
    trained = open_trained(stored.directory, device="cpu")
    assert trained.notes == () and trained.weights == last(stored.directory)
    grid = trained.inputs.grid
    assert grid is not None
    choice = Choice(trained.recipe(OWN_RECIPE))
    found = list(segments_of(trained, find_features([stored.features]), grid, choice))
    detections = detections_from_npz(RunFiles(stored.directory).detections(OWN_RECIPE))
    then = by_video(detections)
    assert [one.video_id for one in found] == sorted(then) and sum(map(len, then.values())) > 4
    for one in found:
        before = by_score(then[one.video_id])
        for name in ("start", "end", "label", "score"):
            assert getattr(one.segments, name).tolist() == getattr(before, name).tolist()


def test_a_method_that_began_with_another_ones_weights_needs_them_no_more(copied: Stored) -> None:
    (*_, child) = run(request(copied.results, "child:first"))
    directory = Path(child.directory)
    shutil.rmtree(copied.results / "tiny" / "toy")  # the parent
    trained = open_trained(directory, device="cpu")
    grid = trained.inputs.grid
    assert grid is not None
    choice = Choice(trained.recipe(OWN_RECIPE), top_k=1)
    found = segments_of(trained, find_features([copied.features]), grid, choice)
    then = by_video(detections_from_npz(RunFiles(directory).detections(OWN_RECIPE)))
    best = {name: by_score(rows).score[0] for name, rows in then.items()}
    assert {one.video_id: one.segments.score[0] for one in found} == best


def test_a_method_that_cuts_by_itself_does_so_unless_another_recipe_is_named(
    stored: Stored,
) -> None:
    trained = open_trained(stored.directory, device="cpu")

    class Cutter(type(trained.method)):  # type: ignore[misc]
        own_recipe = True

        def localize(self, video: Video, recipe: ProposalRecipe) -> Proposals:
            return Proposals(np.array([1.0]), np.array([2.0]), np.array([1]), np.array([0.5]))

    method = Cutter(trained.method.config, trained.method.task)
    method.load(trained.method.trained.state_dict())  # type: ignore[attr-defined]
    cutter = replace(trained, method=method)
    files = find_features([stored.features / "test0.npy"])
    grid, recipe = TimeGrid(10, 10), trained.recipe("common")
    (own,) = segments_of(cutter, files, grid, Choice(recipe, own=True))
    (common,) = segments_of(cutter, files, grid, Choice(recipe, own=False))
    assert own.segments.score.tolist() == [0.5] and common.segments.score.tolist() != [0.5]


def test_a_checkpoint_of_training_is_read_too(stored: Stored) -> None:
    (newest, *_) = sorted((stored.directory / "checkpoints").glob("p0-*.pt"), reverse=True)
    assert run_directory(newest) == stored.directory.resolve()
    trained = open_trained(stored.directory, newest, "cpu")
    end = open_trained(stored.directory, device="cpu")  # the newest is the end of training
    ours, theirs = (one.method.trained.state_dict() for one in (trained, end))  # type: ignore[attr-defined]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_run_that_did_not_write_its_inputs_is_asked_by_its_data(copied: Stored) -> None:
    change_record(copied.directory, inputs=None)
    assert open_trained(copied.directory, device="cpu").inputs.class_names == ("rise", "fall")
    spec = json.loads(RunFiles(copied.directory).record.read_text())["spec"]
    spec["data"]["version"] = "0"
    change_record(copied.directory, spec=spec)
    with pytest.raises(DataError, match=r"not those of the run any more: version 0.*version 1"):
        open_trained(copied.directory, device="cpu")


def test_a_source_that_changed_since_is_said(copied: Stored) -> None:
    change_record(copied.directory, source_digest="another")
    (note,) = open_trained(copied.directory, device="cpu").notes
    assert note == "the source of toy changed since the run"


def spoil_version(directory: Path) -> None:
    spec = json.loads(RunFiles(directory).record.read_text())["spec"]
    change_record(directory, spec={**spec, "method_version": "7"})


def spoil_status(directory: Path) -> None:
    change_record(directory, status="failed")


def spoil_inputs(directory: Path) -> None:
    change_record(directory, inputs={"feature_dim": 4})


def spoil_width(directory: Path) -> None:
    inputs = json.loads(RunFiles(directory).record.read_text())["inputs"]
    change_record(directory, inputs={**inputs, "feature_dim": 9})


def spoil_names(directory: Path) -> None:
    weights = torch.load(last(directory), weights_only=True)
    seal(last(directory), {"other": weights.pop("0.weight"), **weights})


def spoil_digest(directory: Path) -> None:
    last(directory).write_bytes(last(directory).read_bytes()[:-100])


def spoil_seal(directory: Path) -> None:
    torch.save({}, last(directory))


def spoil_safety(directory: Path) -> None:
    seal(last(directory), {"weights": Path("x")})


def spoil_kind(directory: Path) -> None:
    seal(last(directory), [1, 2])


def spoil_values(directory: Path) -> None:
    seal(last(directory), {"a": 1})


def spoil_presence(directory: Path) -> None:
    last(directory).unlink()


@pytest.mark.parametrize(
    ("spoil", "kind", "message"),
    [
        (spoil_version, DataError, "of version 7 of toy, installed is version 1"),
        (spoil_status, UsageError, "a failed run has nothing to infer with"),
        (spoil_inputs, DataError, r"record\.json: does not say what the inputs were"),
        (spoil_width, DataError, r"0\.weight is \[5, 4\], the run's is \[5, 9\]"),
        (spoil_names, DataError, r"it lacks 0\.weight; it holds other, which the run's has not"),
        (spoil_digest, DataError, "half-written or damaged"),
        (spoil_seal, DataError, "or no checkpoint of this program"),
        (spoil_safety, DataError, "no safe checkpoint: .* could run code"),
        (spoil_kind, DataError, "it holds a list"),
        (spoil_values, DataError, "holds no weights: 'a' is no tensor"),
        (spoil_presence, DataError, r"last\.pt: cannot be read"),
    ],
)
def test_what_is_not_the_runs_checkpoint_is_refused(
    spoil: Callable[[Path], None], kind: type[WsalError], message: str, copied: Stored
) -> None:
    spoil(copied.directory)
    with pytest.raises(kind, match=message) as caught:
        open_trained(copied.directory, device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sets": ("toy.width=6",)}, "its options width=6, the run's width=5"),
        ({"methods": ("child",)}, r"its method .*child\.Method, the run's .*toy\.Method"),
    ],
)
def test_a_training_checkpoint_of_another_run_is_refused(
    options: dict[str, Any], message: str, copied: Stored
) -> None:
    names = options.pop("methods", ("toy",))
    (*_, other) = run(request(copied.results, *names, **options))
    (foreign, *_) = sorted((Path(other.directory) / "checkpoints").glob("p*-*.pt"))
    here = copied.directory / "checkpoints" / foreign.name
    shutil.copy(foreign, here)
    with pytest.raises(DataError, match=f"of another training: {message}"):
        open_trained(copied.directory, here, "cpu")


def test_a_file_outside_of_a_run_says_nothing_of_itself(stored: Stored, tmp_path: Path) -> None:
    shutil.copy(last(stored.directory), tmp_path / "last.pt")
    with pytest.raises(DataError, match="lies in no run's directory"):
        run_directory(tmp_path / "last.pt")


def test_methods_without_weights_and_reference_rows_are_refused(copied: Stored) -> None:
    (plain,) = run(request(copied.results, "plain"))
    with pytest.raises(UsageError, match="plain keeps no weights"):
        open_trained(Path(plain.directory), device="cpu")
    run(request(copied.results, "plain", floors=True))
    (floor,) = copied.results.glob("tiny/floor-random/*/seed0")
    with pytest.raises(UsageError, match="floor:random is a reference row"):
        open_trained(floor, device="cpu")


def test_other_recipes_go_by_their_names(stored: Stored) -> None:
    trained = open_trained(stored.directory, device="cpu")
    assert trained.recipe("common") == trained.recipe(OWN_RECIPE)  # the toy's own
    with pytest.raises(UsageError, match="no recipe 'comon'; did you mean 'common'"):
        trained.recipe("comon")

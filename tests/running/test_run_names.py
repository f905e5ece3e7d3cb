"""What a run is called, and which runs a name means."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from wsal_bench.api import Track
from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.running.cells import DataSpec, RunSpec
from wsal_bench.running.names import Chosen, RunName, fits_method, run_name


def spec(
    method: str, seed: int = 0, *, data_seed: int = 0, seeded: bool = True, dataset: str = "sim"
) -> RunSpec:
    name, _, variant = method.partition(":")
    if name == "floor":
        name, variant = method, ""
    data = DataSpec(dataset, dataset, "1", {}, seed=data_seed, seeded=seeded)
    return RunSpec(name, variant or None, "1", {}, data, Track(), seed)


@pytest.mark.parametrize(
    ("run", "name"),
    [
        (spec("mil", 3, seeded=False), "sim/mil@3"),
        (spec("ftcl:full", 1, data_seed=2), "sim/ftcl:full@2.1"),
        (spec("floor:random"), "sim/floor:random@0.0"),
    ],
)
def test_a_run_is_called_as_it_is_named(run: RunSpec, name: str) -> None:
    assert run_name(run) == name
    parts = RunName.parse(name)
    assert parts is not None
    assert parts.fits(run)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("sim/ftcl:full@2.1", True),
        ("sim/ftcl:full@1", True),  # whatever the data seed
        ("sim/ftcl:full", True),
        ("sim/ftcl", True),  # all its variants
        ("sim/ftcl@1", True),
        ("ftcl:full@1", True),
        ("ftcl", True),
        ("sim/", False),
        ("s*/f*:f*@*", True),
        ("*/ftcl@2.*", True),
        ("sim/ftcl:full@[01]", True),
        ("sim/ftcl:full@2", False),  # the data seed alone says nothing
        ("sim/ftcl:full@1.1", False),
        ("sim/ftcl:fsd@1", False),
        ("sim/ftc@1", False),
        ("other/ftcl:full@1", False),
        ("SIM/ftcl@1", False),
    ],
)
def test_a_name_fits_what_it_says_and_nothing_else(text: str, fits: bool) -> None:
    parts = RunName.parse(text)
    assert parts is not None
    assert parts.fits(spec("ftcl:full", 1, data_seed=2)) is fits


def test_the_beginning_of_a_hash_stands_for_the_method() -> None:
    run = spec("mil", 1)
    for text, fits in ((f"{run.hash[:4]}@1", True), (f"sim/{run.hash}@0.1", True),
                       (f"{run.hash}@2", False), (f"{run.hash[:3]}@1", False)):  # fmt: skip
        parts = RunName.parse(text)
        assert parts is not None
        assert parts.fits(run) is fits


@pytest.mark.parametrize("text", ["sim/mil/1a2b3c", "sim/mil/1a2b3c/seed0"])
def test_what_has_not_the_form_of_a_name_is_none(text: str) -> None:
    assert RunName.parse(text) is None


@pytest.mark.parametrize("text", ["sim/mil@", "sim/mil@x", "sim/mil@1.", "sim/mil@1.x", "m@0@1"])
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no seed; write @SEED, or @DATA_SEED\.SEED"):
        RunName.parse(text)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("*", False), ("f*", False), ("floor:*", True), ("floor:random", True), ("floor*", True)],
)
def test_a_pattern_leaves_reference_rows_out_unless_it_names_them(pattern: str, fits: bool) -> None:
    assert fits_method(spec("floor:random"), pattern) is fits


def test_runs_are_chosen_by_method_failure_and_time() -> None:
    now = datetime.now(timezone.utc)
    run, finished = spec("ftcl:fsd"), (now - timedelta(hours=1)).isoformat()
    assert Chosen().holds(run, "unfinished", None)
    assert Chosen(("mil", "ftcl")).holds(run, "ok", finished)
    assert not Chosen(("mil",)).holds(run, "ok", finished)
    assert not Chosen(failed=True).holds(run, "ok", finished)
    assert Chosen(since=now - timedelta(hours=2)).holds(run, "ok", finished)
    assert not Chosen(since=now).holds(run, "ok", finished)
    assert not Chosen(since=now).holds(run, "unfinished", None)


def test_case_does_not_matter_in_did_you_mean() -> None:
    assert did_you_mean("THUMOS14", ("thumos14", "hapt")).startswith("did you mean 'thumos14'?")
    assert did_you_mean("acm-net", ("ACM-Net", "mil")).startswith("did you mean 'ACM-Net'?")

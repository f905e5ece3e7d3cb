"""The compiled evaluator against the plain definition, under every rule."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.evaluation.against_reference import assert_equal_to_the_definition, cases
from tests.examples import examples
from wsal_bench.evaluation import Protocol, common, protocol
from wsal_bench.evaluation.protocols import RULES, names
from wsal_bench.evaluation.reference import counted_truths
from wsal_bench.types import Detections, GroundTruth

Case = tuple[GroundTruth, Detections]

# tenths as arange gives them beside the literals: a tIoU of exactly 0.3 tells them apart
GRIDS = [common("x").tious, (0.1, 0.2, 0.30000000000000004, 0.4, 0.5), (0.5,), (1 / 3, 0.5, 1.0)]


@st.composite
def rules(draw: st.DrawFn) -> Protocol:
    """Any protocol at all."""
    chosen: dict[str, Any] = {
        rule: draw(st.sampled_from(sorted(choices))) for rule, choices in RULES.items()
    }
    if chosen["comparison"] == "exact":
        chosen["time_unit"] = "snippets"
    if chosen["matching"] == "truth-driven":
        chosen["ties"] = "true-positives-first"
    else:
        chosen["union"] = "lengths"
        if chosen["ties"] == "true-positives-first":
            chosen["ties"] = "stable"
    tious = draw(st.sampled_from(GRIDS))
    return replace(
        common("x"),
        tious=tious,
        averages={"all": tious},
        headline="all",
        fps=draw(st.sampled_from([25.0, 2.0])),
        stride=draw(st.sampled_from([16, 1])),
        excluded_videos=draw(st.sampled_from([(), ("v1",), ("v1", "elsewhere")])),
        **chosen,
    )


def has_truth(case: Case, chosen: Protocol) -> bool:
    return bool(counted_truths(case[0], chosen))


@examples(40)
@given(cases(), st.sampled_from(["false-positive", "dropped"]))
def test_the_common_rules_are_the_definition(case: Case, outside: str) -> None:
    assert_equal_to_the_definition(*case, replace(common("x"), videos_outside=outside))


@examples(60)
@given(cases(), rules())
def test_any_mixture_of_rules_is_the_definition(case: Case, chosen: Protocol) -> None:
    assume(has_truth(case, chosen))
    assert_equal_to_the_definition(*case, chosen)


@pytest.mark.parametrize("name", names())
@examples(10)
@given(case=cases())
def test_every_named_protocol_is_the_definition(name: str, case: Case) -> None:
    chosen = replace(protocol(name), needs_videos=())
    assume(has_truth(case, chosen))
    assert_equal_to_the_definition(*case, chosen)

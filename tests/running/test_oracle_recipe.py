import numpy as np
import pytest

from tests.evaluation.diagnosis_cases import truth_of
from wsal_bench.evaluation import common
from wsal_bench.localization.recipe import ACM, COMMON
from wsal_bench.running.oracle_recipe import WARNING, grid, oracle_recipe
from wsal_bench.types import Activations

TRUTH = truth_of([("v", "A", 2, 6)])


def said(gates: dict[str, list[float]]) -> dict[str, Activations]:
    cas = np.array([[0.1], [0.1], [0.9], [0.8], [0.9], [0.9], [0.1], [0.1]])
    return {
        "v": Activations(
            {"cas": cas},
            {name: np.array(gate) for name, gate in gates.items()},
            np.array([1.0]),
            np.arange(9.0),
        )
    }


def test_the_grid_holds_the_runs_own_recipe_and_variations_of_what_there_is() -> None:
    recipes = grid(ACM, ("attention",))
    assert recipes["acm"] is ACM and recipes["common"] is COMMON
    assert len(recipes) == 2 + 3 * 9
    varied = recipes["acm, NMS 0.3, outer 0.5"]
    assert (varied.lists, varied.nms.threshold, varied.inflation) == (ACM.lists, 0.3, 0.5)
    gates = {entry.gate for entry in recipes["common on attention, NMS 0.5, outer 0.1"].lists}
    assert gates == {"attention"}


def test_without_gates_only_the_scores_are_cut() -> None:
    assert len(grid(COMMON, ())) == 1 + 9


def test_the_best_is_the_best_on_test_and_says_so() -> None:
    done: list[tuple[int, int]] = []
    found = oracle_recipe(
        TRUTH,
        said({}),
        ("A",),
        common("x"),
        own=COMMON,
        own_average=0.25,
        report=lambda number, of: done.append((number, of)),
    )
    assert found.best.average == max(one.average for one in found.tried)
    assert done == [(k, 10) for k in range(1, 11)]
    document = found.to_json()
    assert document["warning"] == WARNING and "chosen on test" in WARNING
    assert document["own"] == 0.25 and len(document["tried"]) == 10


def test_a_gate_that_knows_better_is_found() -> None:
    bad_cas = {
        "v": Activations(
            {"cas": np.linspace(1, 0, 8)[:, None]},
            {"attention": np.array([0, 0, 1, 1, 1, 1, 0, 0.0])},
            np.array([1.0]),
            np.arange(9.0),
        )
    }
    found = oracle_recipe(TRUTH, bad_cas, ("A",), common("x"), own=COMMON, own_average=0.0)
    assert found.best.name.startswith("common on attention")
    assert found.best.average == pytest.approx(1.0)

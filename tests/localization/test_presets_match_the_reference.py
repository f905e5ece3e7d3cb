"""Compiled localization against its definition: the same bits, for every preset and any recipe."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.examples import examples
from tests.localization.examples import activations_for, bits
from wsal_bench.localization import (
    Blend,
    ClassRule,
    GateList,
    Nms,
    ProposalRecipe,
    localize,
    propose,
)
from wsal_bench.localization.recipe import names, recipe
from wsal_bench.localization.reference import reference_localize, reference_propose
from wsal_bench.localization.rules import NMS_KINDS, RUN_SCORES

KINDS = ("tied", "constant", "random", "smooth", "logits", "below")


def made_curves(kind: str, generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Sequences [S, T, C] of one kind, in float64."""
    if kind == "tied":  # multiples of 0.05: steps meet thresholds, scores are equal
        return generator.integers(0, 21, shape) / 20
    if kind == "constant":
        return np.broadcast_to(generator.integers(0, 3, (shape[0], 1, 1)) / 2, shape)
    if kind == "smooth":
        return np.cumsum(generator.normal(0, 0.1, shape), axis=1) + 0.5
    if kind == "logits":
        return generator.normal(0, 4, shape)
    return generator.random(shape) * (1e-4 if kind == "below" else 1)


@given(
    name=st.sampled_from(names()),
    kind=st.sampled_from(KINDS),
    length=st.one_of(st.just(1), st.integers(1, 60)),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 10**6),
    no_class=st.booleans(),
)
@examples(40)
def test_a_preset_gives_the_bits_of_its_definition(
    name: str, kind: str, length: int, dtype: Any, seed: int, no_class: bool
) -> None:
    generator = np.random.default_rng(seed)
    curves = made_curves(kind, generator, (3, length, 4)).astype(dtype)
    scores: NDArray[Any] = (generator.integers(0, 10, 4) / 20).astype(dtype)
    video = activations_for(recipe(name), curves, scores * 0 - 1 if no_class else scores)
    assert bits(propose(video, recipe(name))) == bits(reference_propose(video, recipe(name)))
    assert bits(localize(video, recipe(name))) == bits(reference_localize(video, recipe(name)))


@pytest.mark.parametrize("name", names())
def test_a_preset_cuts_long_videos_into_the_bits_of_its_definition(name: str) -> None:
    generator = np.random.default_rng(7)
    curves = made_curves("smooth", generator, (3, 300, 2)).astype(np.float32)
    if "logits" in recipe(name).sequences:
        curves = 3 * curves
    video = activations_for(recipe(name), curves, np.asarray([0.9, 0.6], dtype=np.float32))
    found = localize(video, recipe(name))
    assert len(found) > 0
    assert bits(found) == bits(reference_localize(video, recipe(name)))


def any_nms(generator: np.random.Generator) -> Nms:
    return Nms(
        threshold=float(generator.choice([0.2, 0.5, 1.0])),
        plus=float(generator.choice([0.0, 1.0])),
        kind=str(generator.choice(NMS_KINDS)),  # type: ignore[arg-type]
        sigma=float(generator.choice([0.1, 0.35])),
        unit=str(generator.choice(["seconds", "snippets"])),  # type: ignore[arg-type]
        drops_equal=bool(generator.random() < 0.5),
    )


def any_list(generator: np.random.Generator, stream: str) -> GateList:
    def flip() -> bool:
        return bool(generator.random() < 0.5)

    gate, score, other = generator.choice(["attention", "cas", "second"], 3).tolist()
    kind = str(generator.choice(["none", "sum", "product"]))
    blend = None if kind == "none" else Blend(other, kind)  # type: ignore[arg-type]
    if kind == "sum":
        blend = Blend(other, "sum", 0.7, 0.3)
    summands = (score,) if blend is None else (score, other) if kind == "sum" else ()
    return GateList(
        gate=gate,
        thresholds=tuple((generator.integers(-1, 20, generator.integers(1, 5)) / 20).tolist()),
        score=score,
        zero_below=gate in summands and flip(),
        strict=flip(),
        class_bonus=float(generator.choice([0.0, 0.25])),
        relative=flip(),
        positive=flip(),
        blend=blend,
        weight=float(generator.choice([1.0, 0.1])),
        run_score=str(generator.choice(RUN_SCORES)),  # type: ignore[arg-type]
        outer_weight=float(generator.choice([1.0, 0.6])),
        stream=stream,
    )


def any_class_rule(generator: np.random.Generator) -> ClassRule:
    strict, fallback, binarised, skips = (generator.random(4) < 0.5).tolist()
    pooled = 0 if fallback else int(generator.integers(0, 9))
    return ClassRule(0.25, strict, fallback, binarised, skips, pooled)


def any_recipe(generator: np.random.Generator) -> ProposalRecipe:
    def flip() -> bool:
        return bool(generator.random() < 0.5)

    streams = ["one", "two"] if flip() else [""]
    return ProposalRecipe(
        name="any",
        classes=any_class_rule(generator),
        lists=tuple(any_list(generator, stream) for stream in streams * 2),
        nms=any_nms(generator),
        normalisation=str(  # type: ignore[arg-type]
            generator.choice(["none", "min-max", "relu-min-max", "clamped-min-max"])
        ),
        scale=int(generator.choice([1, 2, 3, 20, 24])),
        inflation=float(generator.choice([0.0, 0.2, 0.25, 1.3])),
        min_steps=int(generator.integers(1, 4)),
        fusion="streams" if len(streams) > 1 else "concatenate",
        fuse=any_nms(generator) if len(streams) > 1 else None,
        normalises_gates=flip(),
        smoothing=int(generator.choice([0, 5])),
        one_step_more=flip(),
        skips_lone_first_step=flip(),
        clip=flip(),
        max_per_video=int(generator.integers(1, 9)) if flip() else None,
    )


@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(KINDS),
    length=st.one_of(st.just(1), st.integers(1, 40)),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@examples(40)
def test_any_recipe_gives_the_bits_of_its_definition(
    seed: int, kind: str, length: int, dtype: Any
) -> None:
    generator = np.random.default_rng(seed)
    chosen = any_recipe(generator)
    curves = made_curves(kind, generator, (3, length, 3)).astype(dtype)
    start = float(generator.choice([0.0, -3.0, 100.0]))
    steps = np.full(length, 0.64) if generator.random() < 0.5 else generator.uniform(0.2, 2, length)
    times = start + np.concatenate([[0.0], np.cumsum(steps)])
    video = activations_for(chosen, curves, generator.integers(0, 10, 3) / 20, times)
    assert bits(propose(video, chosen)) == bits(reference_propose(video, chosen))
    assert bits(localize(video, chosen)) == bits(reference_localize(video, chosen))

"""Simulated videos in the manner of THUMOS14: generated in a second, nothing to download.

Ten classes in five pairs. The two of a pair share their scene and four atoms of motion, which they
run through in opposite order; every class has an appearance and sub-actions of its own besides.
Context (the scene without the action) is what a weakly supervised method mistakes for action.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from wsal_bench.api import Config
from wsal_datasets._simulated import SimulatedDataset
from wsal_datasets._simulation import Dials, World, gliding, prototypes

NUM_PARTS = 4
NUM_BACKGROUNDS = 8
LENGTH_STD = 0.5  # of the log length, between classes
OWN_SCENE = 0.4  # how much of a class's scene its pair partner does not share
SCENE_IN_ACTION = 0.4


class Looks(Config):
    """What videos look like; weights are in units of a prototype's standard deviation."""

    feature_dim: int = Field(128, ge=2)  # D
    context_weight: float = Field(0.8, ge=0)  # how strong the scene is where no action is
    subaction_weight: float = Field(0.6, ge=0)  # a class's own sub-actions
    atom_weight: float = Field(
        0.6, ge=0
    )  # sub-actions that differ from the partner's in order only
    class_weight: float = Field(0.3, ge=0)  # a class's appearance, the same all along
    action_weight: float = Field(0.5, ge=0)  # what all actions have in common
    noise: float = Field(1.6, ge=0)  # standard deviation, correlated in time
    scene_weight: float = Field(0.25, ge=0)  # the scene everywhere in a video of its class
    background_weight: float = Field(0.8, ge=0)  # eight scenes that all videos share
    style_weight: float = Field(0.4, ge=0)  # what sets one video apart from the others


class SimulatedConfig(Looks):
    """The dials; weights are in units of a prototype's standard deviation."""

    num_classes: int = Field(10, ge=2)  # C, two of a pair next to each other
    num_train: int = Field(120, ge=1)  # training videos
    num_test: int = Field(80, ge=1)  # test videos
    log_length: float = 1.10  # instance length: mean log seconds over classes; 1.10 is 3 s
    log_gap: float = 1.5  # mean log seconds between instances; smaller: more foreground
    co_occurrence: float = Field(0.12, ge=0, le=1)  # chance of a second class in a video


class Dataset(SimulatedDataset):
    """Simulated features and annotation; the default, drawn from a seed in about a second."""

    Config = SimulatedConfig
    version = "1"
    card = (
        "Simulated features, not videos. Its dials were chosen while looking at test scores of a "
        "few methods, so that simple and strong ones land between the floors and the oracle. It "
        "checks that code learns and shows what a method reacts to; it knows nothing of pixels or "
        "of networks that make real features. A ranking on it does not predict the ranking on "
        "THUMOS14. Report at least 3 data seeds x 2 training seeds, next to the reference rows: "
        "random scores with true labels are far from zero here."
    )

    config: SimulatedConfig

    def dials(self) -> Dials:
        """Dials of the options."""
        return dials_of(self.config, self.config.co_occurrence, self.config.log_gap)

    def world(self, rng: np.random.Generator) -> World:
        """Draws prototypes; classes 2p and 2p + 1 make pair p."""
        return world_of(self.config, self.config.num_classes, self.config.log_length, rng)


def dials_of(looks: Looks, co_occurrence: float, log_gap: float) -> Dials:
    """How videos are put together."""
    return Dials(
        co_occurrence=co_occurrence,
        log_gap=log_gap,
        context_weight=looks.context_weight,
        scene_weight=looks.scene_weight,
        background_weight=looks.background_weight,
        style_weight=looks.style_weight,
        noise=looks.noise,
    )


def world_of(looks: Looks, num_classes: int, log_length: float, rng: np.random.Generator) -> World:
    """Draws prototypes; classes 2p and 2p + 1 make pair p.

    Args:
        looks: the weights, and D.
        num_classes: C.
        log_length: mean over the classes of the log length of an instance.
        rng: where draws come from.
    """
    dim, num_pairs = looks.feature_dim, (num_classes + 1) // 2
    common = prototypes(rng, 1, dim)[0]
    appearance = prototypes(rng, num_classes, dim)
    own = prototypes(rng, num_classes * NUM_PARTS, dim).reshape(num_classes, NUM_PARTS, dim)
    atoms = prototypes(rng, num_pairs * NUM_PARTS, dim).reshape(num_pairs, NUM_PARTS, dim)
    scene_pair = prototypes(rng, num_pairs, dim)
    scene_own = prototypes(rng, num_classes, dim)
    background = prototypes(rng, NUM_BACKGROUNDS, dim)
    lengths = log_length + LENGTH_STD * rng.standard_normal(num_classes)
    pair = np.arange(num_classes) // 2
    scene = np.sqrt(1.0 - OWN_SCENE**2) * scene_pair[pair] + OWN_SCENE * scene_own
    shared = atoms[pair]  # [C, K, D]
    shared[1::2] = shared[1::2, ::-1].copy()
    return World(
        action=looks.action_weight * common
        + looks.class_weight * appearance
        + SCENE_IN_ACTION * scene,
        parts=looks.subaction_weight * own + looks.atom_weight * shared,
        scene=scene,
        background=background,
        log_length=lengths,
        pace=gliding,
    )

"""Simulated videos whose classes differ in the order of their sub-actions, and in nothing else.

The positive control of methods that align sequences: every class runs through the same atoms, each
for a random share of the time, in an order of its own. Without order, all classes look alike.
"""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
from pydantic import Field, model_validator
from wsal_datasets._simulation import Dials, SimulatedDataset, World, prototypes, stepping

from wsal_bench import config as base

NUM_BACKGROUNDS = 8


class Config(base.Config):
    """The dials; weights are in units of a prototype's standard deviation."""

    num_classes: int = Field(10, ge=2)  # C, at most num_atoms! (the orders there are)
    num_atoms: int = Field(4, ge=2)  # K sub-actions, the same in all classes
    feature_dim: int = Field(128, ge=2)  # D
    num_train: int = Field(120, ge=1)  # training videos
    num_test: int = Field(80, ge=1)  # test videos
    atom_weight: float = Field(1.0, ge=0)  # how strong a sub-action is
    action_weight: float = Field(0.5, ge=0)  # what all actions have in common
    log_length: float = 2.3  # instance length: mean log seconds, of all classes; 2.3 is 10 s
    log_gap: float = 1.5  # mean log seconds between instances; smaller: more foreground
    co_occurrence: float = Field(0.0, ge=0, le=1)  # chance of a second class in a video
    noise: float = Field(0.5, ge=0)  # standard deviation, correlated in time
    background_weight: float = Field(0.8, ge=0)  # eight scenes that all videos share
    style_weight: float = Field(0.2, ge=0)  # what sets one video apart from the others

    @model_validator(mode="before")
    @classmethod
    def _enough_orders(cls, values: Any) -> Any:
        num_classes = values.get("num_classes", cls.model_fields["num_classes"].default)
        num_atoms = values.get("num_atoms", cls.model_fields["num_atoms"].default)
        if isinstance(num_atoms, int) and isinstance(num_classes, int) and num_atoms >= 0:
            orders = factorial(min(num_atoms, 20))
            if num_classes > orders:
                raise ValueError(f"{num_atoms} atoms have {orders} orders, too few for the classes")
        return values


class Dataset(SimulatedDataset):
    """Simulated videos in which only the order of sub-actions tells the classes apart."""

    Config = Config
    version = "1"
    quick = {"num_classes": 5, "feature_dim": 48, "num_train": 40, "num_test": 20}
    card = (
        "A positive control, not a benchmark: every class is another order of the same sub-actions, "
        "of the same lengths, in the same scenes, with little noise and no context. An aligner that "
        "sees the true instances tells the classes apart, and no longer does once snippets are "
        "shuffled in time. A method that claims to use order should gain here over its shuffled "
        "control; a gain here says nothing about real videos."
    )

    config: Config

    def dials(self) -> Dials:
        """Dials of the options; no scene of a class shows anywhere."""
        return Dials(
            co_occurrence=self.config.co_occurrence,
            log_gap=self.config.log_gap,
            context_weight=0.0,
            scene_weight=0.0,
            background_weight=self.config.background_weight,
            style_weight=self.config.style_weight,
            noise=self.config.noise,
        )

    def world(self, rng: np.random.Generator) -> World:
        """Draws the atoms, and for each class an order of them that no other class has."""
        config, dim = self.config, self.config.feature_dim
        common = prototypes(rng, 1, dim)
        atoms = prototypes(rng, config.num_atoms, dim)
        background = prototypes(rng, NUM_BACKGROUNDS, dim)
        orders: list[tuple[int, ...]] = []
        while len(orders) < config.num_classes:
            order = tuple(rng.permutation(config.num_atoms).tolist())
            if order not in orders:
                orders.append(order)
        return World(
            action=np.repeat(config.action_weight * common, config.num_classes, axis=0),
            parts=config.atom_weight * atoms[np.array(orders)],
            scene=np.zeros((config.num_classes, dim)),
            background=background,
            log_length=np.full(config.num_classes, config.log_length),
            pace=stepping,
        )

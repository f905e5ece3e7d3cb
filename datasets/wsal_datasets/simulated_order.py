"""Simulated videos whose classes differ in the order of their sub-actions, and in nothing else.

The positive control of methods that align sequences: every class runs through the same atoms, each
for a random share of the time, in an order of its own. Without order, all classes look alike.
"""

from __future__ import annotations

from math import factorial

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from wsal_bench.api import Config
from wsal_datasets._simulated import SimulatedDataset
from wsal_datasets._simulation import Dials, World, prototypes, stepping

NUM_BACKGROUNDS = 8


class OrderConfig(Config):
    """The dials; weights are in units of a prototype's standard deviation."""

    num_classes: int = Field(10, ge=2)  # C, at most the factorial of num_atoms
    num_atoms: int = Field(4, ge=2, validate_default=True)  # K sub-actions, the same in all classes
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

    @field_validator("num_atoms")
    @classmethod
    def _enough_orders(cls, num_atoms: int, info: ValidationInfo) -> int:
        wanted = info.data.get("num_classes", 2)
        orders = factorial(min(num_atoms, 20))  # more than anyone asks for
        if wanted > orders:
            raise ValueError(f"{num_atoms} atoms have {orders} orders, fewer than {wanted}")
        return num_atoms


class Dataset(SimulatedDataset):
    """Simulated videos in which only the order of sub-actions tells the classes apart."""

    Config = OrderConfig
    version = "1"
    card = (
        "A positive control, not a benchmark: every class is another order of the same "
        "sub-actions, of the same lengths, in the same scenes, with little noise and no context. "
        "An aligner that sees the true instances tells the classes apart, and no longer does once "
        "snippets are shuffled in time. A method that claims to use order should gain here over "
        "its shuffled control; a gain here says nothing about real videos."
    )

    config: OrderConfig

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

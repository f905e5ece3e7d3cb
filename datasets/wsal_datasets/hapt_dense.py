"""HAPT with all twelve activities as classes: ill-posed by design, as its card says."""

from __future__ import annotations

from wsal_datasets.hapt import Dataset as Transitions


class Dataset(Transitions):
    """All twelve activities of HAPT: what video labels cannot identify (see its card)."""

    version = "1"
    preset = "hapt"
    card = (
        "Ill-posed by design. The recordings follow a script: a transition's neighbours never vary "
        "(SIT_TO_LIE always lies between SITTING and LAYING), so a bag's labels cannot tell which "
        "part of it is which, and no weakly supervised method can learn it for the right reason. "
        "Kept to show what happens then. Same bags and features as hapt; nearly every snippet of a "
        "bag belongs to some class."
    )

    def classes(self, stored: tuple[str, ...]) -> tuple[str, ...]:
        """All twelve."""
        return stored

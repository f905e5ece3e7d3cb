"""From activations to proposals: where to cut, how to score a cut, which cuts to keep.

numpy only. `localize` is the whole room; the arrays' functions behind it stand in `proposals` and
`nms`, the numbers they work with in `recipe`.
"""

from wsal_bench.localization.nms import thin, top_k
from wsal_bench.localization.proposals import localize, propose
from wsal_bench.localization.recipe import Blend, ClassRule, GateList, Nms, ProposalRecipe

__all__ = [
    "Blend",
    "ClassRule",
    "GateList",
    "Nms",
    "ProposalRecipe",
    "localize",
    "propose",
    "thin",
    "top_k",
]

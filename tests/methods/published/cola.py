"""Names of CoLA's published code."""

from tests.methods.published.agreement import Golden, Named, Part, Published
from tests.methods.published.um import given_mask
from wsal_bench.api import Batch, Progress
from wsal_bench.nn import above_median, dilate, erode, gather_snippets
from wsal_methods.cola import CoLAConfig, CoLAOutputs, Method

CHOSEN = {
    "easy_act": "easy_action",
    "easy_bkg": "easy_background",
    "hard_act": "hard_action",
    "hard_bkg": "hard_background",
}


def options(golden: Golden) -> dict[str, object]:
    names = {
        "cas_hidden": "hidden",
        "easy_ratio": "r_easy",
        "hard_ratio": "r_hard",
        "inner_width": "m",
        "outer_width": "M",
        "temperature": "temperature",
        "contrast_weight": "snico_weight",
        "mask_dropout": "mask_dropout",
    }
    embedding, classifier = (
        golden[f"param_actionness_module.{name}.0.weight"] for name in ("f_embed", "f_cls")
    )
    smoothing = golden.get("param_actionness_module.f_cls.1.weight")
    return {
        **{ours: golden[f"cfg_{name}"] for ours, name in names.items()},
        "kernel": embedding.shape[2],
        "classifier_kernel": classifier.shape[2],
        "smoothing_kernel": 1 if smoothing is None else smoothing.shape[2],
    }


def outputs(found: CoLAOutputs) -> Named:
    active = above_median(found.actionness)
    picked = vars(found.chosen)
    return {
        "video_scores": found.video_scores,
        "actionness": found.actionness,
        "cas": found.cas,
        "embeddings": found.features,
        "binary": active,
        **{f"erosion_{width}": erode(active, width) for width in (3, 6)},
        **{f"dilation_{width}": dilate(active, width) for width in (3, 6)},
        **{f"index_{name}": picked[ours] for name, ours in CHOSEN.items()},
        **{name: gather_snippets(found.features, picked[ours]) for name, ours in CHOSEN.items()},
    }


def weights(config: CoLAConfig) -> dict[str, Part]:
    return {
        "video": Part("cls", config.label_weight),
        "hard_action": Part("snico_hard_act", config.contrast_weight),
        "hard_background": Part("snico_hard_bkg", config.contrast_weight),
    }


def parts(method: Method, found: CoLAOutputs, batch: Batch) -> Named:
    terms = method.loss(found, batch, Progress())
    halves = terms["hard_action"] + terms["hard_background"]
    return {"snico": halves / method.config.contrast_weight}


NAMES = {
    "embedding": "f_embed.0",
    "classifier": "f_cls.0",
    "smoothing": "f_cls.1",
}
PUBLISHED = Published(
    files=("cola", "cola-anet12"),
    method=Method,
    options=options,
    names={ours: f"actionness_module.{name}" for ours, name in NAMES.items()},
    outputs=outputs,
    weights=weights,
    parts=parts,
    prepare=given_mask,
)

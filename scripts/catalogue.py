"""The table of methods in docs/methods.md, as their classes and their golden files say it."""

from __future__ import annotations

from collections.abc import Mapping

from tests.golden_files import OURS
from tests.methods.published.agreement import published_methods, worst
from wsal_bench import plugins
from wsal_bench.plugins.contract import Method, Task
from wsal_bench.training.trainable import TrainableMethod

FILES = {
    "acm-net": "acm_postprocess.json, ftcl_model.npz",
    "ftcl": "ftcl_model.npz, ftcl_kernels.npz",
}
"""Methods whose golden numbers have tests of their own."""
THUMOS14 = Task(2048, tuple(f"class {number}" for number in range(20)))


def methods() -> list[str]:
    """A paragraph for each method: short enough to be read, long enough to choose."""
    lines = []
    for name, plugin in plugins.available("methods").items():
        kind: type[Method] = plugins.load("methods", name)
        about = plugin.about
        rows: Mapping[str, str] = {
            "paper": _paper(about),
            "learns from": f"{kind.supervision} labels; streams: {about.get('streams', '-')}",
            "loss": about.get("terms", "-"),
            "left out": about.get("left_out", "-"),
            "variants, controls": ", ".join((*plugin.variants, *plugin.controls)) or "none",
            "agreement": _agreement(name),
            "published": _figures(kind),
            "numbers learnt (D = 2048, 20 classes)": _size(kind),
        }
        lines += [f"## {name}", "", plugin.summary, ""]
        lines += [f"- {title}: {text}" for title, text in rows.items()]
        lines.append("")
    return lines[:-1]


def _paper(about: Mapping[str, str]) -> str:
    paper, year = about.get("paper", "-"), about.get("year", "")
    return paper if year in paper else f"{paper} ({year})"


def _agreement(name: str) -> str:
    """Worst differences to published code, in powers of ten: the last bits depend on the CPU."""
    found = []
    for path in sorted((OURS / "methods").glob("*.npz")):
        published = published_methods().get(path.stem)
        if published is not None and published.method is plugins.load("methods", name):
            parts = vars(worst(path))
            said = ", ".join(f"{part} {_below(value)}" for part, value in parts.items())
            found.append(f"`{path.name}`: {said}")
    if not found:
        return f"tested on {FILES[name]} to 1e-8" if name in FILES else "not of a paper"
    return "; ".join(found) + "; segments and sampled snippets: tests/golden"


def _below(value: float) -> str:
    return "< 1e-12" if value < 1e-12 else "< 1e-8" if value < 1e-8 else f"{value:.0e}"


def _figures(kind: type[Method]) -> str:
    """Figures of the paper, and the rules that they were scored under."""
    found = []
    for dataset, values in kind.paper.items():
        rules = kind.paper_protocols.get(dataset, "rules not verified")
        numbers = ", ".join(f"{value:g} at {name}" for name, value in values.items())
        found.append(f"{dataset} ({rules}): {numbers}")
    return "; ".join(found) or "none"


def _size(kind: type[Method]) -> str:
    if not issubclass(kind, TrainableMethod):
        return "-"
    first = next(iter(kind.variants.values()), {})
    config = kind.Config(**first)
    network = kind(config, THUMOS14).network()
    return f"{sum(parameter.numel() for parameter in network.parameters()):,}"

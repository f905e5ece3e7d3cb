"""Writes docs/performance.md from the figures of one run; run through `scripts/bench`."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from wsal_bench.environment import environment
from wsal_bench.files import write_text

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- figures: made by scripts/bench -->", "<!-- end of figures -->"
TITLES = {
    "test_evaluation": "Evaluation",
    "test_statistics": "Resampling",
    "test_localization": "Localization",
    "test_diagnosis": "Diagnosis",
    "test_kernels": "Alignment kernels",
    "test_kernels_at_size": "Alignment kernels at library sizes",
    "test_ftcl_step": "An FTCL step",
    "test_training": "Training loop",
    "test_reading_speed": "Reading features at THUMOS14's size",
    "test_checksums_cost": "Comparing features with their checksums",
    "test_paper_size": "Training at the paper's size",
}


def main() -> None:
    """Replaces the generated part of the page by the figures in the file named on the command."""
    groups: dict[str, list[str]] = {}
    for line in Path(sys.argv[1]).read_text().splitlines():
        module, _, sentence = line.partition("\t")
        groups.setdefault(module, []).append(sentence)
    machine = environment()
    about = f"{machine['cpu']}, {machine['cores']} cores, one thread, Python {machine['python']}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "numba"))
    lines = [BEGIN, "", f"{datetime.now(timezone.utc):%Y-%m-%d}: {about}, {versions}.", ""]
    for module, title in TITLES.items():
        if module in groups:
            lines += [f"### {title}", "", *(f"- {text}" for text in groups[module]), ""]
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    write_text(PAGE, before + "\n".join([*lines, END]) + after)


if __name__ == "__main__":
    main()

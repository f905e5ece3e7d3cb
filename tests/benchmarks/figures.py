"""Where the benchmarks' figures go: the terminal, and with `scripts/bench` the performance page."""

import os
import sys
from pathlib import Path


def tell(sentence: str) -> None:
    """Prints a figure, past pytest's capture; notes it in the file WSAL_BENCH_FIGURES names."""
    print(f"\n{sentence}", file=sys.__stderr__)
    if file := os.environ.get("WSAL_BENCH_FIGURES"):
        # "tests/benchmarks/test_evaluation.py::test_... (call)"
        module = Path(os.environ["PYTEST_CURRENT_TEST"].split("::")[0]).stem
        with Path(file).open("a") as lines:
            lines.write(f"{module}\t{sentence}\n")

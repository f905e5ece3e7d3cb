"""What the tests of runs share: small plugins, a request for them, what must not change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsal_bench.running.cells import RunRequest

PLUGINS = Path(__file__).parent / "plugins"
NUMBERS = ("last.pt", "activations.npz", "detections.npz", "recipe.json", "tiny--common.json")


def request(results: Path, *methods: str, **options: Any) -> RunRequest:
    """A run of methods on `tiny`, in this process and without reference rows unless told so."""
    values: dict[str, Any] = {"datasets": ("tiny",), "floors": False, "device": "cpu", **options}
    values.setdefault("in_process", values.get("jobs", 1) == 1)
    return RunRequest(methods=methods, results=results, **values)


def numbers(results: Path) -> dict[str, bytes]:
    """Weights, activations, segments and scores of all runs, byte for byte, by file."""
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.name in NUMBERS
    }

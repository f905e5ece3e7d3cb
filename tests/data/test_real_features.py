"""The whole path on real video features, where they are at hand (they are not ours to ship)."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

GTEA = Path(__file__).parents[3] / "shared" / "data" / "gtea"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not GTEA.exists(), reason="needs the folder shared/data/gtea"),
]


def test_methods_and_reference_rows_run_on_gtea(tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text(
        f"name: kitchen\nroot: {GTEA}\nfps: 15\nstride: 1\npreset: small\n"
        'subsets: {train: train, test: test}\ngroup: "^(S[0-9])"\n'
    )
    short = [f"{name}.epochs=2" for name in ("mil", "attention-mil", "acm-net", "ftcl")]
    command = [
        *(str(Path(sys.executable).parent / "wsal-bench"), "run", "--json", "-j", "2"),
        *("--methods", "ftcl,baseline", "--datasets", f"folder:{tmp_path}"),
        *(part for option in short for part in ("--set", option)),
        *("--results", str(tmp_path / "results")),
    ]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)["data"]["cells"]
    scores = {cell["method"]: cell["averages"][cell["average"]] for cell in cells}
    assert {cell["status"] for cell in cells} == {"ok"}
    assert {cell["dataset"] for cell in cells} == {"kitchen"}
    assert all(math.isfinite(score) for score in scores.values())
    assert scores["ceiling:oracle"] > 0.8 > scores["floor:constant"]

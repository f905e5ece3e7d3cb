"""The method in docs/add-a-method.md runs as it stands there."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from wsal_bench.api import Session, Task
from wsal_bench.timegrid import TimeGrid
from wsal_bench.types import WeakVideo

PAGE = Path(__file__).parents[2] / "docs" / "add-a-method.md"


def code() -> str:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_documented_method_learns_where_the_action_is(tmp_path: Path) -> None:
    file = tmp_path / "linear_mil.py"
    file.write_text(code(), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("linear_mil", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    videos = []
    for index in range(8):
        features = np.zeros((30, 4), np.float32)
        features[10:20, index % 2] = 1  # snippets 10 to 19 show class 0 or 1
        labels = np.eye(2, dtype=np.float32)[index % 2]
        videos.append(
            WeakVideo(
                video_id=f"v{index}",
                features=features,
                grid=TimeGrid(fps=1, stride=1),
                labels=labels,
            )
        )
    config = module.Method.Config(num_snippets=30, epochs=200)
    method = module.Method(config, Task(feature_dim=4, class_names=("a", "b")))
    method.fit(videos, Session())
    proposals = method.localize(videos[0], method.recipe)
    best = proposals.score.argmax()
    assert proposals.label[best] == 0
    assert proposals.start[best] == pytest.approx(10, abs=1)
    assert proposals.end[best] == pytest.approx(20, abs=1)


def test_the_documented_method_is_as_short_as_the_page_says() -> None:
    lines = [line for line in code().splitlines() if line.strip()]
    assert len(lines) <= 35

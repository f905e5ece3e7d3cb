"""The methods in docs/add-a-method.md run as they stand there, and the page leaves nothing out."""

import importlib.util
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsal_bench.api import Activations, PairBatch, Progress, Session, Task
from wsal_bench.testing import check_method
from wsal_bench.timegrid import TimeGrid
from wsal_bench.training.hooks import Trainable
from wsal_bench.types import WeakVideo

PAGE = Path(__file__).parents[2] / "docs" / "add-a-method.md"
NOT_WRITTEN = {"Config", "infer"}  # a class that the examples show, and a helper


def code(number: int = 0) -> str:
    found: list[str] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return found[number]


def load(number: int, folder: Path) -> Any:
    file = folder / f"documented_{number}.py"
    file.write_text(code(number), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_second_documented_method_conforms_and_switches_its_parts_off(tmp_path: Path) -> None:
    kind = load(1, tmp_path).Method
    assert check_method(kind) == []
    plain = kind(kind.Config(**kind.controls["plain"]), Task(feature_dim=4, class_names=("a", "b")))
    assert plain.ema_decay(Progress()) == 0
    assert not any(getattr(plain.config, option) for option in kind.components.values())
    assert kind.Config(**kind.variants["unbalanced"]).balanced is False


def test_the_sampler_of_the_page_shows_rare_classes_as_often_as_common_ones(tmp_path: Path) -> None:
    kind = load(1, tmp_path).Method
    videos = [
        WeakVideo(
            video_id=f"v{index}",
            features=np.zeros((5, 4), np.float32),
            grid=TimeGrid(fps=1, stride=1),
            labels=np.eye(2, dtype=np.float32)[int(index == 0)],
        )
        for index in range(100)
    ]
    method = kind(kind.Config(num_snippets=5), Task(feature_dim=4, class_names=("a", "b")))
    batches = list(method.batches(videos, np.random.default_rng(0), Progress()))
    assert sum(len(batch) for batch in batches) == 100
    shown = sum(float(batch.labels[:, 1].sum()) for batch in batches)
    assert shown == pytest.approx(50, abs=15)  # one video in a hundred, half of what is shown


def test_the_page_names_every_hook_and_every_field() -> None:
    page = PAGE.read_text(encoding="utf-8")
    hooks = {name for name in vars(Trainable) if not name.startswith("_")} - NOT_WRITTEN
    named = {
        found for text in re.findall(r"`([^`\n]+)`", page) for found in re.findall(r"\w+", text)
    }
    known = {field.name for kind in (PairBatch, Progress, Activations) for field in fields(kind)}
    assert hooks | known <= named


def test_the_documented_method_learns_where_the_action_is(tmp_path: Path) -> None:
    module = load(0, tmp_path)
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

"""An example data set in a folder: small, commented, and running."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from wsal_bench.data.description import NAME, NAME_LENGTH
from wsal_bench.errors import DataError
from wsal_bench.files import make_folder, replacing, write_text

_YAML: Final = """\
# Your data set. Every key is explained in docs/add-a-dataset.md.
name: NAME  # in tables, and of the results folder
fps: 25                       # frames per second of the video that features were taken from
stride: 16                    # frames from one snippet (row of features) to the next
subsets: {train: train, test: test}   # what gt.json calls the two splits
preset: small                 # options of the methods, for features of up to 256 columns
# classes: [jump, run]        # names and order; without it: those that occur, sorted
# group: ^(person[0-9]+)      # who was recorded: the first (...) found in a video's name
# overhang: 1.0               # seconds that a segment may end after the features do
"""
_README: Final = """\
dataset.yaml       what the files cannot say by themselves
gt.json            truth: for each video its subset and its segments [start, end] in seconds
split_train.txt    names of the videos to learn from, one per line
split_test.txt     names of the videos to be tested on
train/, test/      <video>.npy, features [snippets, columns], float16 or float32

Snippet i covers i * stride / fps to (i + 1) * stride / fps seconds. Labels of training videos are
the classes of their segments; methods see nothing else of them.

The features here are noise with a bump where the action is. Replace everything by yours, then

    wsal-bench data validate .
    wsal-bench run --methods mil --datasets folder:.
"""
_CLASSES: Final = ("jump", "run")
_VIDEOS: Final = {"train": 12, "test": 6}
_LENGTH: Final = 60  # snippets
_WIDTH: Final = 16
_SECONDS: Final = 0.64  # of a snippet


def write_template(folder: Path) -> list[str]:
    """Writes the example, called like its folder; gives the names of its files.

    Args:
        folder: is made; may be there if it is empty.

    Raises:
        DataError: there is something in the folder already, or it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            "is there already, and nothing is overwritten", hint="name a new folder", path=folder
        )
    generator = np.random.default_rng(0)
    looks = generator.normal(size=(len(_CLASSES), _WIDTH))
    database: dict[str, Any] = {}
    for split, number in _VIDEOS.items():
        make_folder(folder / split)
        names = [f"{split}_{index:02d}" for index in range(number)]
        write_text(folder / f"split_{split}.txt", "\n".join(names) + "\n")
        for index, name in enumerate(names):
            label = index % len(_CLASSES)
            first = int(generator.integers(5, 40))
            features = generator.normal(size=(_LENGTH, _WIDTH)).astype(np.float32)
            features[first : first + 8] += 2.0 * looks[label]
            with replacing(folder / split / f"{name}.npy") as file:
                np.save(file, features)
            segment = [round(first * _SECONDS, 2), round((first + 8) * _SECONDS, 2)]
            annotations = [{"segment": segment, "label": _CLASSES[label]}]
            database[name] = {"subset": split, "annotations": annotations}
    write_text(folder / "gt.json", json.dumps({"database": database}, indent=1) + "\n")
    name = folder.resolve().name
    name = name if NAME.fullmatch(name) and len(name) <= NAME_LENGTH else "example"
    write_text(folder / "dataset.yaml", _YAML.replace("NAME", json.dumps(name)))
    write_text(folder / "README.txt", _README)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

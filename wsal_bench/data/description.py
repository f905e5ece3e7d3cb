"""`dataset.yaml`: what a folder of features cannot say by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from wsal_bench.config import Config, Layer, build, read_yaml
from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.plugins.contract import SPLITS

FILE_NAME = "dataset.yaml"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
NAME_LENGTH = 100


def _rate(value: object) -> object:
    """A number, also one written as a fraction such as 1/15."""
    if isinstance(value, bool):
        raise ValueError("must be a number or a fraction such as 1/15")
    if not isinstance(value, str):
        return value
    try:
        return float(Fraction(value.replace(" ", "")))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise ValueError("must be a number or a fraction such as 1/15") from error


Rate = Annotated[float, BeforeValidator(_rate), Field(gt=0)]


class Description(Config):
    """The keys of `dataset.yaml`."""

    # name in tables and of the results folder
    name: str = Field(pattern=f"^{NAME.pattern}$", max_length=NAME_LENGTH)
    fps: Rate  # frames per second of the video that features were taken from
    stride: Rate  # frames from one snippet to the next
    subsets: dict[str, str]  # train and test, each as the truth file calls it
    preset: str = ""  # of the methods; empty: the name above
    classes: tuple[str, ...] | None = None  # names and order; default: those that occur, sorted
    root: str = ""  # folder of the features, relative to this file; empty: its own
    group: str | None = None  # regular expression: its first group, found in a video's name
    overhang: float | None = Field(None, ge=0)  # s after the features; default: one snippet

    @field_validator("subsets", mode="before")
    @classmethod
    def _both_splits(cls, value: Any) -> Any:
        if not isinstance(value, dict) or set(value) != set(SPLITS):
            for key in value if isinstance(value, dict) else ():
                if key not in SPLITS:
                    raise ValueError(f"unknown key {key!r}; {did_you_mean(str(key), SPLITS)}")
            raise ValueError("must be {train: NAME, test: NAME}")
        return value

    @field_validator("classes")
    @classmethod
    def _different(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and (not value or len(set(value)) < len(value)):
            raise ValueError("must be different names, at least one")
        return value

    @field_validator("group")
    @classmethod
    def _has_a_group(cls, value: str | None) -> str | None:
        if value is None:
            return value
        try:
            groups = re.compile(value).groups
        except re.error as error:
            raise ValueError(f"is not a regular expression ({error})") from error
        if groups < 1:
            raise ValueError("needs a group in round brackets, as in ^(S[0-9])")
        return value

    def group_of(self, video_id: str, path: Path) -> str:
        """The group of a video: its own name where no `group` is given.

        Args:
            video_id: the video's name.
            path: this description's file, for the complaint.

        Raises:
            DataError: the name has no such part.
        """
        if self.group is None:
            return video_id
        found = re.search(self.group, video_id)
        if not (found and found.group(1)):
            raise DataError(
                f"group {self.group!r} finds nothing in the name of video {video_id!r}", path=path
            )
        return str(found.group(1))


def find(path: Path) -> Path:
    """The description that a path means: itself, or `dataset.yaml` in it.

    Raises:
        DataError: there is none.
    """
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise DataError(
            "no such file",
            hint=f"folder:PATH needs a folder with {FILE_NAME}, or such a file; "
            "docs/add-a-dataset.md says what stands in it",
            path=file,
        )
    return file


def read(path: Path) -> Description:
    """Reads a description.

    Raises:
        DataError: the file cannot be read, lacks a key, has an unknown one or a wrong value.
    """
    values: Mapping[str, Any] = read_yaml(path)
    required = [name for name, entry in Description.model_fields.items() if entry.is_required()]
    try:
        for key in required:
            if key not in values and set(values) <= set(Description.model_fields):
                raise UsageError(f"key {key!r} is missing", hint=f"needed: {', '.join(required)}")
        return build(Description, [Layer(path.name, values)], owner="dataset")
    except UsageError as error:
        # the user named the right file; what is wrong stands inside it
        raise DataError(error.message, hint=error.hint, path=path) from error

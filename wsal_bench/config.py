"""Configurations: frozen, typed, strict; and how `--set`, presets and variants become one.

Precedence: defaults < preset < variant < `--config` file < `--set`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from wsal_bench import yaml12
from wsal_bench.errors import DataError, UsageError, did_you_mean
from wsal_bench.files import check_file

ConfigT = TypeVar("ConfigT", bound="Config")


class Config(BaseModel):
    """Base of every plugin's options: frozen, unknown keys refused with a suggestion."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def fields(cls) -> tuple[str, ...]:
        """Names of the options, in the order of definition."""
        return tuple(cls.model_fields)

    def to_json(self) -> dict[str, Any]:
        """Plain values, ready for a hash or a file."""
        return self.model_dump(mode="json")


@dataclass(frozen=True)
class Layer:
    """Some options and where they came from, for messages."""

    origin: str
    values: Mapping[str, Any]


def build(kind: type[ConfigT], layers: Iterable[Layer], *, owner: str) -> ConfigT:
    """The configuration that layers of options make, later ones over earlier ones.

    Args:
        kind: the plugin's Config.
        layers: from weakest to strongest.
        owner: name of the plugin, for messages.

    Raises:
        UsageError: an unknown key (with the nearest known one) or a value that does not fit.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for key, value in layer.values.items():
            if key not in kind.model_fields:
                raise UsageError(
                    f"{owner} has no option {key!r} ({layer.origin})",
                    hint=did_you_mean(key, kind.model_fields),
                )
            merged[key], origins[key] = value, layer.origin
    try:
        return kind(**merged)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            key = str(item["loc"][0]) if item["loc"] else ""
            origin = origins.get(key, "default")
            problems.append(f"{owner}.{key} = {merged.get(key)!r} ({origin}): {item['msg']}")
        raise UsageError("; ".join(problems)) from error


@dataclass(frozen=True)
class Override:
    """One `--set TARGET[:VARIANT].KEY=VALUE`."""

    target: str
    variant: str | None
    key: str
    value: Any


def parse_override(text: str) -> Override:
    """Reads `ftcl.fsd_weight=0` or `ftcl:fsd.epochs=3`; the value is YAML.

    Raises:
        UsageError: the text is not of that form.
    """
    name, equals, value = text.partition("=")
    target, dot, key = name.strip().rpartition(".")
    target, _, variant = target.partition(":")
    if not (equals and dot and target and key):
        raise UsageError(
            f"--set {text!r} is not NAME.KEY=VALUE", hint="for example --set ftcl.fsd_weight=0"
        )
    return Override(target, variant or None, key, parse_value(value))


def parse_value(text: str) -> Any:
    """A YAML scalar or list."""
    try:
        return yaml12.load(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a YAML value: {error}") from error


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file that holds a mapping.

    Raises:
        DataError: the file is missing, not readable, not YAML or not a mapping.
    """
    check_file(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError("no such file", path=path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", path=path) from error
    try:
        content = yaml12.load(text)
    except ValueError as error:
        raise DataError(f"not YAML: {error}", path=path) from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise DataError(f"must be a mapping of names, not {type(content).__name__}", path=path)
    return content


def read_presets(path: Path) -> dict[str, dict[str, Any]]:
    """Presets of one method: data set -> options. Keys that begin with `_` are notes.

    A file that is not there holds no preset.
    """
    if not path.exists():
        return {}
    presets = {key: value for key, value in read_yaml(path).items() if not key.startswith("_")}
    for name, values in presets.items():
        if not isinstance(values, dict):
            raise DataError(f"preset {name!r} must be a mapping of options", path=path)
    return presets


def choose_preset(
    presets: Mapping[str, Mapping[str, Any]], wanted: str, *, owner: str, explicit: bool
) -> Layer:
    """The preset called `wanted` as a layer.

    A method without any preset runs on its defaults unless a preset was asked for by name.

    Raises:
        UsageError: there are presets, but none of that name.
    """
    if wanted in presets:
        return Layer(f"preset {wanted}", presets[wanted])
    if not presets and not explicit:
        return Layer("no preset", {})
    raise UsageError(
        f"{owner} has no preset {wanted!r}",
        hint=did_you_mean(wanted, presets) + "; choose one with --preset",
    )

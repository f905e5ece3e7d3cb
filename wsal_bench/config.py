"""Configurations: frozen, typed, strict; and how `--set`, presets and variants become one.

Precedence: defaults < preset < variant < `--config` file < `--set`. A preset also says how its
options were found; a method without the preset that is wanted runs on its defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

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


PUBLISHED = "published"
"""The preset that every method has: its own defaults, nothing else."""


@dataclass(frozen=True)
class Found:
    """How options were found, which is the budget that a row has spent.

    Args:
        by: `published` (a paper's or its code's values: the defaults), `weak` (a search that video
            labels decided), `boundaries:N` (one that true segments of N videos decided), `author`
            (by hand, by whoever wrote the preset), `unknown`.
        trials: of the search.
        folds: parts of the training data that each trial was tried on.
        digest: of the search space.
        remark: what a reader should know besides, such as what was not searched.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    by: Annotated[str, Field(pattern=r"^(published|weak|boundaries:[1-9]\d*|author|unknown)$")] = (
        "unknown"
    )
    trials: Annotated[int, Field(ge=1)] | None = None
    folds: Annotated[int, Field(ge=1)] | None = None
    digest: str = ""
    remark: str = ""

    @property
    def known(self) -> bool:
        """Whether somebody said how."""
        return self.by != "unknown"

    @property
    def budget(self) -> str:
        """In words, all that makes two budgets differ; a remark and a digest do not."""
        kind, _, number = self.by.partition(":")
        said = {
            PUBLISHED: "published defaults",
            "weak": "chosen by video labels",
            "boundaries": f"chosen by true segments of {number} videos",
            "author": "set by the preset's author",
            "unknown": "nobody says how",
        }[kind]
        sizes = [
            f"{count} {what}{'s' if count > 1 else ''}"
            for count, what in ((self.trials, "trial"), (self.folds, "fold"))
            if count
        ]
        return f"{said} ({', '.join(sizes)})" if sizes else said


@dataclass(frozen=True)
class Preset:
    """Options of one method for one data set.

    Args:
        name: in the file, or `published`.
        options: what differs from the method's defaults.
        found: how they were found.
        wanted: the preset that is not there, where these are the defaults in its place.
    """

    name: str
    options: Mapping[str, Any]
    found: Found
    wanted: str = ""

    @property
    def origin(self) -> str:
        """The preset in words, for messages and records."""
        return f"{NO_PRESET}{self.wanted}" if self.wanted else f"preset {self.name}"

    @property
    def layer(self) -> Layer:
        """Its options as a layer."""
        return Layer(self.origin, self.options)


NO_PRESET = "defaults, no preset "
DEFAULTS = Preset(PUBLISHED, {}, Found(PUBLISHED))


def read_presets(path: Path | None) -> dict[str, Preset]:
    """Presets of one method by name. Keys that begin with `_` are notes.

    A file that is not there holds no preset. `found` in a preset says how its options were found;
    without it a preset that changes nothing is the published one, any other is unknown.

    Raises:
        DataError: the file cannot be read, or a preset is no mapping, is called `published`, or
            has a `found` that cannot be.
    """
    if path is None or not path.exists():
        return {}
    presets = {}
    for name, values in read_yaml(path).items():
        if not name.startswith("_"):
            presets[name] = _preset(name, values, path)
    return presets


def _preset(name: str, values: Any, path: Path) -> Preset:
    if name == PUBLISHED:
        raise DataError(
            f"no preset can be called {PUBLISHED!r}",
            hint="it means the defaults of the method's Config",
            path=path,
        )
    if not isinstance(values, dict):
        raise DataError(f"preset {name!r} must be a mapping of options", path=path)
    options = {key: value for key, value in values.items() if key != "found"}
    if "found" not in values:
        return Preset(name, options, Found() if options else DEFAULTS.found)
    try:
        found = TypeAdapter(Found).validate_python(values["found"])
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, ("found", *first["loc"])))
        raise DataError(
            f"preset {name!r}: {key} = {first['input']!r}: {first['msg']}",
            hint="for example found: {by: weak, trials: 12}; `by` is published, weak, "
            "boundaries:N, author or unknown",
            path=path,
        ) from error
    return Preset(name, options, found)


def choose_preset(presets: Mapping[str, Preset], *wanted: str) -> Preset:
    """The first preset of these names that a method has, else its defaults.

    Args:
        presets: of the method.
        wanted: names, the best one first.
    """
    for name in wanted:
        if name == PUBLISHED:
            return DEFAULTS
        if name in presets:
            return presets[name]
    return replace(DEFAULTS, wanted=wanted[-1])

"""Options that a user sets by hand: which cells they reach, and that none is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wsal_bench import plugins
from wsal_bench.config import Layer, parse_override, read_yaml
from wsal_bench.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Setting:
    """One option for one target.

    Args:
        source: the `--config` file, or `--set`, which is stronger.
        target: name of a method or a data set.
        variant: None: all variants.
        key: the option.
        value: what it is set to.
    """

    source: Literal["config", "set"]
    target: str
    variant: str | None
    key: str
    value: Any

    @property
    def reach(self) -> str:
        """The target as it was written."""
        return self.target + (f":{self.variant}" if self.variant else "")

    @property
    def text(self) -> str:
        """The option as one writes it for `--set`."""
        return f"{self.reach}.{self.key}={self.value}"


class Settings:
    """All options of a request; remembers which of them reached something."""

    def __init__(self, settings: Iterable[Setting]) -> None:
        self._settings = sorted(settings, key=_strength)
        _refuse_contradictions(self._settings)
        self._targets: dict[str, None] = {}
        self._used: set[int] = set()

    @classmethod
    def read(cls, sets: Sequence[str], config_file: Path | None) -> Settings:
        """The options of `--set` and of a `--config` file.

        Raises:
            UsageError: a text that is no option, or two that contradict each other.
            DataError: the file cannot be read.
        """
        settings = [] if config_file is None else _read_file(config_file)
        for text in sets:
            entry = parse_override(text)
            settings.append(Setting("set", entry.target, entry.variant, entry.key, entry.value))
        return cls(settings)

    def layers(self, target: str, variant: str | None = None) -> list[Layer]:
        """The options that reach a target, from weakest to strongest.

        The file before `--set`, and what is said of all variants before what is said of one;
        never the order in which they were given.
        """
        self._targets[target] = None
        if variant:
            self._targets[f"{target}:{variant}"] = None
        layers = []
        for index, entry in enumerate(self._settings):
            if entry.target == target and entry.variant in (None, variant):
                self._used.add(index)
                origin = "--set" if entry.source == "set" else "--config"
                layers.append(
                    Layer(f"{origin} {entry.reach}.{entry.key}", {entry.key: entry.value})
                )
        return layers

    def texts(self, target: str, variant: str | None = None) -> tuple[str, ...]:
        """The options that reach a target, as one writes them."""
        return tuple(
            entry.text
            for entry in self._settings
            if entry.target == target and entry.variant in (None, variant)
        )

    def refuse_unused(self) -> None:
        """Call when all cells are planned.

        A file may serve several runs: what it says of a method, variant or data set that is not in
        this one has no effect, as long as there is one of that name.

        Raises:
            UsageError: an option is for something that is not in this run.
        """
        for index, entry in enumerate(self._settings):
            if index not in self._used and not (entry.source == "config" and _exists(entry)):
                where, kind, known = "this run", "in this run", {*self._targets}
                if entry.source == "config":  # there, any method and data set may be named
                    where, kind = "this run, nor any method or data set", "known"
                    known |= {*plugins.available("methods"), *plugins.available("datasets")}
                raise UsageError(
                    f"option {entry.text!r} is for {entry.reach!r}, which is not in {where}",
                    hint=did_you_mean(entry.reach, known, kind=kind),
                )


def _exists(entry: Setting) -> bool:
    if entry.variant is None and entry.target in plugins.available("datasets"):
        return True
    method = plugins.available("methods").get(entry.target)
    return method is not None and entry.variant in (None, *method.variants, *method.controls)


def _strength(entry: Setting) -> tuple[bool, bool]:
    return (entry.source == "set", entry.variant is not None)


def _refuse_contradictions(settings: Sequence[Setting]) -> None:
    seen: dict[tuple[str, str], Setting] = {}
    for entry in settings:
        first = seen.setdefault((entry.source, f"{entry.reach}.{entry.key}"), entry)
        if first.value != entry.value:
            raise UsageError(
                f"{entry.reach}.{entry.key} is set twice: {first.value!r} and {entry.value!r}"
            )


def _read_file(path: Path) -> list[Setting]:
    settings = []
    for name, values in read_yaml(path).items():
        if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
            raise UsageError(
                f"{name!r} must hold options, not {values!r}",
                hint="for example {ftcl: {epochs: 10}}",
                path=path,
            )
        target, _, variant = name.partition(":")
        settings += [
            Setting("config", target, variant or None, key, value) for key, value in values.items()
        ]
    return settings

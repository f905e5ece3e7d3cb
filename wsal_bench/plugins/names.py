"""What a name on the command line stands for: methods, variants, groups, patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from wsal_bench.errors import UsageError, did_you_mean

EVERY: Final = "all"
"""The group that each method is in."""


@dataclass(frozen=True)
class Plugin:
    """What can be known of a plugin without importing it.

    Args:
        name: on the command line.
        target: `module:Class`.
        origin: its file, or the distribution that it was installed with.
        path: its file where that could be found.
        summary: first line of its docstring.
        groups: names that stand for several plugins.
        variants: names of the published variants.
        controls: names of the controls.
        about: what catalogues say of it.
    """

    name: str
    target: str
    origin: str
    path: Path | None
    summary: str = ""
    groups: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MethodName:
    """A method, and which variant of it; None where it has only one form."""

    method: str
    variant: str | None = None

    def __str__(self) -> str:
        return self.method + (f":{self.variant}" if self.variant else "")


def resolve(text: str, plugins: Mapping[str, Plugin]) -> list[MethodName]:
    """What one name stands for.

    Raises:
        UsageError: nothing has that name.
    """
    name, colon, variant = text.partition(":")
    if "*" in name or "?" in name:
        methods = [plugin for plugin in plugins.values() if fnmatchcase(plugin.name, name)]
    elif name in plugins:
        methods = [plugins[name]]
    else:
        methods = [plugin for plugin in plugins.values() if name in (EVERY, *plugin.groups)]
    found = [chosen for plugin in methods for chosen in _variants(plugin, variant, bool(colon))]
    if found:
        return found
    if colon and len(methods) == 1:
        known = [*methods[0].variants, *methods[0].controls]
        raise UsageError(
            f"{name} has no variant {variant!r}", hint=did_you_mean(variant, known, kind="variants")
        )
    groups = {group for plugin in plugins.values() for group in plugin.groups}
    raise UsageError(
        f"no method {text!r}",
        hint=did_you_mean(text, {*plugins, *groups, EVERY}, kind="methods and groups"),
    )


def _variants(plugin: Plugin, wanted: str, given: bool) -> list[MethodName]:
    """The variants of one method that a part after the colon stands for."""
    if not given:
        return [MethodName(plugin.name, variant) for variant in plugin.variants or (None,)]
    if not plugin.variants and not plugin.controls:
        return [MethodName(plugin.name)] if wanted == "*" else []
    known = [*plugin.variants, *plugin.controls]
    return [MethodName(plugin.name, variant) for variant in known if fnmatchcase(variant, wanted)]

"""What `wsal-bench show` says of a data set."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wsal_bench import plugins
from wsal_bench.cli.source import Option, read_source
from wsal_bench.config import Config
from wsal_bench.data.stored import StoredDataset
from wsal_bench.plugins.contract import Dataset


def described(plugin: plugins.Plugin) -> dict[str, Any]:
    """Card, options and, of a published data set, the facts that imports are checked against.

    Raises:
        UsageError: the plugin cannot be imported.
    """
    kind: type[Dataset] = plugins.load("datasets", plugin.name)
    found: dict[str, Any] = {
        "kind": "dataset",
        "name": plugin.name,
        "summary": plugin.summary,
        "description": read_source(plugin.path).docstring,
        "card": kind.card,
        "options": [asdict(option) for option in _options(kind.Config)],
        "protocols": [f"{plugin.name}/common", *kind.protocols],
        "origin": plugin.origin,
    }
    if issubclass(kind, StoredDataset) and kind.facts is not None:
        found["facts"] = kind.facts.to_json()
    return found


def _options(config: type[Config]) -> list[Option]:
    """Options as the sources have them, inherited ones first."""
    modules = dict.fromkeys(
        base.__module__
        for base in reversed(config.__mro__)
        if issubclass(base, Config) and base is not Config
    )
    options: dict[str, Option] = {}
    for module in modules:
        file = getattr(sys.modules[module], "__file__", None)
        for option in read_source(Path(file) if file else None).options:
            if option.name in config.model_fields:
                options[option.name] = option
    return list(options.values())

"""What a plugin implements (`contract`), and how it is found by name (`finding`)."""

from wsal_bench.plugins.finding import (
    PLUGIN_FOLDERS,
    Broken,
    Kind,
    available,
    broken,
    load,
    local_folders,
    presets_path,
    resolve_methods,
    source_digest,
)
from wsal_bench.plugins.names import EVERY, MethodName, Plugin

__all__ = [
    "EVERY",
    "PLUGIN_FOLDERS",
    "Broken",
    "Kind",
    "MethodName",
    "Plugin",
    "available",
    "broken",
    "load",
    "local_folders",
    "presets_path",
    "resolve_methods",
    "source_digest",
]

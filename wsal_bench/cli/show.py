"""`wsal-bench show`: all about one thing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from wsal_bench import plugins
from wsal_bench.cli.dataset import described
from wsal_bench.cli.diagnosis import (
    choice,
    diagnose_stored,
    diagnosis_options,
    refuse_diagnosis_only,
    run_diagnosis_options,
    show_diagnosis,
)
from wsal_bench.cli.options import (
    data_root_option,
    json_option,
    plugins_option,
    results_option,
)
from wsal_bench.cli.output import document
from wsal_bench.cli.source import read_method_options, read_source
from wsal_bench.cli.video import VideoChoice, show_video, video_options
from wsal_bench.config import read_presets
from wsal_bench.errors import UsageError, did_you_mean
from wsal_bench.evaluation import names as protocol_names
from wsal_bench.evaluation import protocol
from wsal_bench.evaluation.protocols import earlier, spelled_out
from wsal_bench.localization import recipe as recipes
from wsal_bench.localization.description import in_words
from wsal_bench.report.diagnosis import summary
from wsal_bench.running.cells import OWN_RECIPE
from wsal_bench.running.lookup import described as run_described
from wsal_bench.running.lookup import find_runs, no_run, only_one
from wsal_bench.running.names import is_pattern

SCHEMA = "wsal-bench/show/1"


@click.command()
@click.argument("name", metavar="RUN|METHOD|DATASET|PROTOCOL|RECIPE")
@results_option
@data_root_option
@plugins_option
@video_options
@diagnosis_options
@run_diagnosis_options
@json_option
def show(
    name: str,
    results: Path,
    video: str | None,
    tiou: float | None,
    top_k: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Show a run, method, data set, protocol or recipe.

    A run is DATASET/METHOD[:VARIANT][@SEED] as `list runs` prints it, its directory or its hash; a
    pattern ('simulated/ftcl:*@0') shows each run that it fits.
    """
    wanted = VideoChoice(video, tiou, top_k)
    wanted.check(diagnose=options["diagnose"])
    if wanted.video is not None:
        refuse_diagnosis_only(options)
        show_video(name, results, wanted, options, as_json=as_json)
        return
    chosen = choice(options)
    if chosen.wanted:
        show_diagnosis(diagnose_stored(name, results, chosen), chosen, as_json=as_json)
        return
    found = _find(name, results)
    click.echo(document(SCHEMA, "data", found) if as_json else _text(found))


def _find(name: str, results: Path) -> dict[str, Any]:
    """What a name stands for.

    Raises:
        UsageError: nothing of that name.
    """
    methods, datasets = plugins.available("methods"), plugins.available("datasets")
    method, colon, variant = name.partition(":")
    if method in methods and "@" not in name:
        found = _method(methods[method], variant if colon else None)
        if method in recipes.names():  # it has no other place here
            found["recipe"] = _recipe(recipes.preset(method))
        return found
    if name in datasets:
        return described(datasets[name])
    for kind in ("methods", "datasets"):
        for bad in plugins.broken(kind):
            if bad.name == name:
                raise UsageError(f"{name!r} is no plugin: {bad.message}", path=bad.origin)
    plain, versioned, _ = name.partition("@v")
    is_protocol = plain in protocol_names() or plain.endswith("/common")
    if versioned and is_protocol:  # no seed begins with a v
        return _protocol(name)
    runs = find_runs(results, name)
    if len(runs) > 1 and is_pattern(name):
        return {"kind": "runs", "runs": [run_described(run) for run in runs]}
    if runs:
        return {"kind": "run", **run_described(only_one(runs, results, name))}
    if is_protocol:
        return _protocol(name)
    if name == OWN_RECIPE:
        return {"kind": "recipe", "name": name, "summary": "each method's own recipe"}
    if recipes.spelled(name) in recipes.names():
        return _recipe(recipes.preset(name))
    if "/" in name or "@" in name:
        raise no_run(results, name)
    known = {*methods, *datasets, *protocol_names(), OWN_RECIPE, *recipes.names()}
    raise UsageError(f"nothing is called {name!r}", hint=did_you_mean(name, known))


def _recipe(preset: recipes.Preset) -> dict[str, Any]:
    return {
        "kind": "recipe",
        **preset.recipe.to_json(),
        "name": preset.name,
        "summary": preset.summary,
        "source": preset.source,
        "in_words": list(in_words(preset.recipe)),
        "needs": dict(preset.needs),
        "quirks": list(preset.quirks),
    }


def _protocol(name: str) -> dict[str, Any]:
    rules = protocol(name)
    versions = {"earlier": earlier(rules.name)} if earlier(rules.name) else {}
    return {"kind": "protocol", **asdict(rules), **versions, "in_words": spelled_out(rules)}


def _method(plugin: plugins.Plugin, variant: str | None) -> dict[str, Any]:
    known = (*plugin.variants, *plugin.controls)
    if variant is not None and variant not in known:
        raise UsageError(
            f"{plugin.name} has no variant {variant!r}",
            hint=did_you_mean(variant, known, kind="variants"),
        )
    source = read_source(plugin.path)
    presets = read_presets(plugins.presets_path(plugin))
    return {
        "kind": "method",
        "name": plugin.name,
        "summary": plugin.summary,
        "description": source.docstring,
        "about": dict(plugin.about),
        "groups": list(plugin.groups),
        "variants": list(plugin.variants),
        "controls": list(plugin.controls),
        "options": [
            {
                **asdict(option),
                "presets": {
                    preset.name: preset.options[option.name]
                    for preset in presets.values()
                    if option.name in preset.options
                },
            }
            for option in read_method_options(plugin.path)
        ],
        "presets": {name: dict(preset.options) for name, preset in presets.items()},
        "found": {
            name: {**asdict(preset.found), "budget": preset.found.budget}
            for name, preset in presets.items()
        },
        "origin": plugin.origin,
    }


def _text(found: dict[str, Any]) -> str:
    lines: list[str] = []
    for key, value in found.items():
        if key == "presets" and found["kind"] == "method":
            continue  # their values stand with the options
        if key == "found":
            key, value = "presets", {name: _origin(part) for name, part in value.items()}
        if key == "diagnosis":
            value = {name: "\n".join(summary(part)) for name, part in value.items()}
        lines += _lines(key, value)
    return "\n".join(lines)


def _lines(key: str, value: Any) -> list[str]:
    if key == "options" and isinstance(value, list):
        return ["options:", *(f"  {line}" for option in value for line in _option(option))]
    if isinstance(value, dict):
        inner = [line for name, part in value.items() for line in _lines(str(name), part)]
        return [f"{key}:", *(f"  {line}" for line in inner)] if inner else [f"{key}: none"]
    if isinstance(value, str) and "\n" in value:
        return [f"{key}:", *(f"  {line}".rstrip() for line in value.splitlines())]
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        blocks = [[line for name in part for line in _lines(name, part[name])] for part in value]
        items = [(f"- {first}", *(f"  {line}" for line in rest)) for first, *rest in blocks]
        return [f"{key}:", *(f"  {line}" for item in items for line in item)]
    if isinstance(value, (list, tuple)) and any(" " in str(part) for part in value):
        return [f"{key}:", *(f"  - {part}" for part in value)]  # sentences
    if isinstance(value, (list, tuple)):
        return [f"{key}: {', '.join(map(str, value)) or 'none'}"]
    return [f"{key}: {'none' if value in (None, '') else value}"]


def _origin(found: dict[str, Any]) -> str:
    """How the options of a preset were found."""
    return "; ".join(part for part in (found["budget"], found["remark"]) if part)


def _option(option: dict[str, Any]) -> list[str]:
    """Default and source of an option, and below it what presets set it to."""
    default = f" = {option['default']}" if option["default"] else ""
    said = [option["comment"], f"of {option['inherited']}" if option["inherited"] else ""]
    comment = "; ".join(part for part in said if part)
    lines = [f"{option['name']}: {option['kind']}{default}{f'  # {comment}' if comment else ''}"]
    if presets := option.get("presets"):
        lines.append("    " + ", ".join(f"{name} {value}" for name, value in presets.items()))
    return lines

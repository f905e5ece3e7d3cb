"""`wsal-bench list`: names and one line about each."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsal_bench import plugins
from wsal_bench.cli.options import (
    NamesType,
    Renamed,
    SinceType,
    json_option,
    plugins_option,
    results_option,
)
from wsal_bench.cli.output import document, tell_damage, warn
from wsal_bench.errors import UsageError
from wsal_bench.report.numbers import percent
from wsal_bench.report.table import Cell, Column, Table, plain
from wsal_bench.running.names import Chosen

if TYPE_CHECKING:
    from wsal_bench.evaluation import Protocol

SCHEMA = "wsal-bench/list/1"
NAMES = ("methods", "datasets", "protocols", "recipes", "runs")


@click.command("list")
@click.argument("what", type=click.Choice(NAMES), required=False)
@click.option(
    "--method",
    "methods",
    cls=Renamed,
    former=("--methods",),
    type=NamesType(),
    help="Of runs: only of these methods, as in ftcl,mil or 'ftcl:*'.",
)
@click.option("--failed", is_flag=True, help="Of runs: only failed ones.")
@click.option(
    "--since",
    type=SinceType(),
    help="Of runs: only those finished since 2026-01-31, or 2h, 3d ago.",
)
@results_option
@plugins_option
@json_option
def list_(
    what: str | None,
    methods: tuple[str, ...] | None,
    failed: bool,
    since: datetime | None,
    results: Path,
    as_json: bool,
) -> None:
    """List methods, datasets, protocols, recipes or runs; without a name all but the runs."""
    chosen = Chosen(methods, failed, since)
    if what != "runs" and chosen != Chosen():
        raise UsageError("--method, --failed and --since choose runs", hint="list runs --failed")
    wanted = [what] if what else [name for name in NAMES if name != "runs"]
    found = {name: _entries(name, results, chosen) for name in wanted}
    for kind in ("methods", "datasets"):
        if kind in found:
            for bad in plugins.broken(kind):
                warn(f"{bad.origin}: {bad.name!r} is no plugin: {bad.message}")
    if as_json:
        click.echo(document(SCHEMA, "data", found))
        return
    for name, entries in found.items():
        if len(found) > 1:
            click.echo(f"{name}:")
        table = _table_of_runs if name == "runs" else _table
        click.echo(table(entries) if entries else "none\n")
    if what == "protocols":
        click.echo(_spelled_out(found["protocols"]))


def _entries(what: str, results: Path, chosen: Chosen) -> list[dict[str, Any]]:
    if what == "methods":
        return [_plugin(plugin, methods=True) for plugin in plugins.available("methods").values()]
    if what == "datasets":
        return [_plugin(plugin, methods=False) for plugin in plugins.available("datasets").values()]
    if what == "protocols":
        return _protocols()
    if what == "recipes":
        return _recipes()
    return _runs(results, chosen)


def _plugin(plugin: plugins.Plugin, *, methods: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": plugin.name, "summary": plugin.summary}
    if methods:
        entry |= {
            "groups": list(plugin.groups),
            "variants": list(plugin.variants),
            "controls": list(plugin.controls),
        }
    return entry | {"origin": plugin.origin}


def _protocols() -> list[dict[str, Any]]:
    from wsal_bench.evaluation import common, names, protocol

    found = [(name, protocol(name)) for name in names()]
    found.append(("<dataset>/common", common("<dataset>")))
    return [
        {"name": name, "version": rules.version, "summary": rules.description, **_rules(rules)}
        for name, rules in found
    ]


def _rules(rules: Protocol) -> dict[str, Any]:
    """What tells protocols apart at a glance; `show` and --json say every rule in words."""
    from wsal_bench.evaluation.protocols import spelled_out

    return {"average": rules.headline, "rules": spelled_out(rules), "sources": list(rules.sources)}


def _spelled_out(entries: list[dict[str, Any]]) -> str:
    """Every rule in words: those of the common protocol, then what each other does otherwise."""
    *named, common = entries
    lines = ["These rules hold where a protocol does not say otherwise:"]
    lines += [f"  {rule}: {words}" for rule, words in common["rules"].items()]
    for entry in named:
        others = {
            rule: words
            for rule, words in entry["rules"].items()
            if common["rules"].get(rule) != words
        }
        lines += ["", f"{entry['name']} ({', '.join(entry['sources'])})"]
        lines += [f"  {rule}: {words}" for rule, words in others.items()] or ["  as above"]
    return "\n".join(lines)


def _recipes() -> list[dict[str, Any]]:
    from wsal_bench.localization import recipe
    from wsal_bench.localization.description import in_words, short

    own = {
        "name": "own",
        "summary": "each method's own recipe",
        "cuts": "",
        "needs": [],
        "rules": [],
        "sources": [],
    }
    fixed = [
        {
            "name": preset.name,
            "summary": preset.summary,
            "cuts": short(preset.recipe),
            "needs": list(preset.recipe.sequences),
            "rules": list(in_words(preset.recipe)),
            "sources": preset.source.split("; "),
        }
        for preset in map(recipe.preset, recipe.names())
    ]
    return [own, *fixed]


def _runs(results: Path, chosen: Chosen) -> list[dict[str, Any]]:
    from wsal_bench.running.lookup import summaries
    from wsal_bench.running.results import ResultStore

    with ResultStore(results).indexed() as store:
        tell_damage(store)
        return summaries(store, chosen)


def _table_of_runs(entries: list[dict[str, Any]]) -> str:
    """Name, options that tell it from its namesakes, headline, when and how it ended."""
    from wsal_bench.running.lookup import in_words

    columns = [Column(title, "left") for title in ("run", "options that differ")]
    columns += [Column("mAP"), Column("finished", "left"), Column("status", "left")]
    rows = [
        (
            entry["name"],
            in_words(entry["options"]),
            percent(entry["mAP"]),
            _local(entry["finished"]),
            f"{entry['status']}{' (quick)' if entry['quick'] else ''}",
        )
        for entry in entries
    ]
    return plain(Table(tuple(columns), tuple(tuple(map(Cell, row)) for row in rows)))


def _local(finished: str | None) -> str:
    if finished is None:
        return ""
    return datetime.fromisoformat(finished).astimezone().strftime("%Y-%m-%d %H:%M")


def _table(entries: list[dict[str, Any]]) -> str:
    """Everything but where it stands, which is what --json and `show` are for."""
    keys = [key for key in entries[0] if key not in ("origin", "rules", "sources", "needs")]
    rows = [tuple(Cell(_text(entry[key])) for key in keys) for entry in entries]
    return plain(Table(tuple(Column(key.replace("_", " "), "left") for key in keys), tuple(rows)))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{100 * value:.1f}"
    return "" if value is None else str(value)

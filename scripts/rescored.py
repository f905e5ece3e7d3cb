"""Scores published detections of THUMOS14 under every protocol; run through `scripts/rescored`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from wsal_bench.cli.output import document
from wsal_bench.errors import DataError
from wsal_bench.evaluation import Protocol, protocols
from wsal_bench.evaluation.formats import detections_from_json, truth_from_json, with_ambiguous
from wsal_bench.files import write_text
from wsal_bench.report import numbers
from wsal_bench.report import rescored as page
from wsal_bench.report.pictures import write_picture
from wsal_bench.report.table import Cell, Column, Table, markdown
from wsal_bench.studies.rescore import Rescoring, protocols_of, rescore
from wsal_bench.studies.variants import measure, variants
from wsal_bench.types import Detections, GroundTruth

ROOT = Path(__file__).parents[1]
SCHEMA = "wsal-bench/rescored/1"
STATUS = "re-scored, not re-run"
SMIL = "S-MIL"
PUBLISHED = {
    SMIL: (
        "pmil_smil/detection_result_base_test.json",
        "S-MIL's base proposals, which RenHuan1999/CVPR2023_P-MIL 855e683 ships: what P-MIL begins "
        "with, not what it finds",
    ),
    "STPN": ("stpn/results.json", "bellos1203/STPN ecadfca, results.json"),
}


def main() -> None:
    """Writes the page, its records, the picture, and the tables of docs/protocols.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("own", nargs="*", metavar="NAME=FILE", help="more sets of detections")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "thumos14")
    parser.add_argument("--out", type=Path, default=ROOT / "leaderboards")
    options = parser.parse_args()
    truths = read_truths(options.data)
    sources = {name: source for name, (_, source) in PUBLISHED.items()}
    detections = {
        name: detections_from_json(options.data / "detections" / file)
        for name, (file, _) in PUBLISHED.items()
    }
    for text in options.own:
        name, _, file = text.partition("=")
        if not file:
            parser.error(f"{text!r} is not NAME=FILE")
        detections[name], sources[name] = detections_from_json(Path(file)), "a file of one's own"
    rules = protocols_of("thumos14", ["all"])
    found = [rescore(name, rows, truths, rules) for name, rows in detections.items()]
    write_page(options.out, found, sources)
    if not options.own:
        write_picture(lambda: page.figure(found), ROOT / "docs" / "images", "rescored")
        write_tables(found, measured(detections[SMIL], truths[-1]))


def read_truths(folder: Path) -> list[GroundTruth]:
    """The truth of 210 videos, then that of 212: a protocol gets the first that it fits."""
    unsure = folder / "Thumos14reduced-Annotations" / "Ambiguous_test.txt"
    names = ("gt410.json", "gt412.json")
    return [with_ambiguous(truth_from_json(folder / name, "test"), unsure) for name in names]


def write_page(out: Path, found: Sequence[Rescoring], sources: Mapping[str, str]) -> None:
    """`thumos14-rescored.md` and the records that it is made of."""
    lines = [
        f"# thumos14 ({STATUS}; not a ranking)",
        "",
        "Detections that others published, under every protocol that `wsal-bench list protocols` "
        "names for THUMOS14, in percent. Nothing was trained or localized again: within a table "
        "only the rules differ. What the rules are: docs/protocols.md.",
        "",
        page.to_markdown(found, page.keys(found)),
        *(f"- {name}: {source}." for name, source in sources.items()),
        "- videos: test videos whose truth counts. Of two truths (210 and 212 videos) a protocol "
        "gets the first that it fits.",
        "- Made by `scripts/rescored`; `scripts/rescored NAME=FILE --out FOLDER` adds another set.",
    ]
    write_text(out / "thumos14-rescored.md", "\n".join(lines) + "\n")
    data = {"status": STATUS, "sources": dict(sources), **page.content(found)}
    write_text(out / "thumos14-rescored.json", document(SCHEMA, "data", data) + "\n")


def measured(detections: Detections, truth: GroundTruth) -> Table:
    """Each change of one rule or step on one set of detections."""
    columns = (Column("on S-MIL's set", "left"), *(Column(f"@{k / 10:g}") for k in (1, 3, 5, 7)))
    rows = []
    for variant in variants():
        one = measure(variant, detections, truth)
        values = [one.mean_ap[k] for k in (0, 2, 4, 6)]
        cells = [Cell(numbers.percent(value)) for value in values]
        rows.append((Cell(one.name), *cells, Cell(f"{100 * one.average:.2f}")))
    return Table((*columns, Column("mAP@AVG(0.1:0.7)")), tuple(rows))


def repositories(found: Sequence[Rescoring]) -> Table:
    """Who uses which rules, and what they give at tIoU 0.5."""
    common = protocols.common("thumos14")
    columns = [Column("protocol", "left"), Column("repositories", "left")]
    columns += [Column("differs from common in", "left")]
    columns += [Column(f"{one.name} @0.5") for one in found]
    rows = []
    for index, first in enumerate(found[0].rows):
        rules = first.protocol
        scores = [Cell(numbers.percent(page.at(one.rows[index], 0.5))) for one in found]
        where = Cell(", ".join(rules.sources)), Cell(_differences(rules, common))
        rows.append((Cell(f"`{rules.name}`"), *where, *scores))
    return Table(tuple(columns), tuple(rows))


def _differences(rules: Protocol, common: Protocol) -> str:
    fields = [name for name in protocols.RULES if name != "excluded_rule"]
    found = [
        f"{name} {getattr(rules, name)}"
        for name in fields
        if getattr(rules, name) != getattr(common, name)
    ]
    if rules.excluded_rule != common.excluded_rule:
        found.append("truth of 270 and 1496 counts, detections there do not")
    elif not rules.excluded_videos:
        found.append("270 and 1496 count" if rules.needs_videos else "no video is left out")
    if rules.tious != common.tious:
        found.append(f"tIoU {', '.join(map(repr, rules.tious))}")
    return "; ".join(found) or "-"


def write_tables(found: Sequence[Rescoring], changes: Table) -> None:
    """Puts the tables between their marks in docs/protocols.md."""
    path = ROOT / "docs" / "protocols.md"
    text = path.read_text()
    tables = {
        "rescored": page.to_markdown(found),
        "changes": markdown(changes),
        "repositories": markdown(repositories(found)),
    }
    for name, table in tables.items():
        begin, end = f"<!-- {name}: made by scripts/rescored -->\n", f"<!-- end of {name} -->"
        head, _, rest = text.partition(begin)
        if not rest:
            raise DataError(f"no place marked for the table {name!r}", path=path)
        text = f"{head}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
    write_text(path, text)


if __name__ == "__main__":
    main()

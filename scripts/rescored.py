"""Scores published detections of THUMOS14 under every protocol; run through `scripts/rescored`."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from scripts.published_sets import (
    SETS,
    SMIL,
    STPN,
    ZERO_SHOT_SOURCE,
    PublishedSet,
    pseudo_labels,
    zero_shot,
)
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
SHOWN = (SMIL, STPN)  # by the tables and the picture of docs/protocols.md


def main() -> None:
    """Writes the page, its records, the picture, and the tables of docs/protocols.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("own", nargs="*", metavar="NAME=FILE", help="more sets of detections")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "thumos14")
    parser.add_argument("--out", type=Path, default=ROOT / "leaderboards")
    options = parser.parse_args()
    truths = read_truths(options.data)
    folder = options.data / "detections"
    sets = [*SETS, *(own_set(text, parser) for text in options.own)]
    rules = protocols_of("thumos14", ["all"])
    detections = {one.name: detections_from_json(folder / one.file) for one in sets}
    found = [rescore(name, rows, truths, rules) for name, rows in detections.items()]
    apart = [*zero_shot_lines(folder), *pseudo_label_lines(folder, options.data / "gt412.json")]
    write_page(options.out, sets, found, apart)
    if not options.own:
        shown = [one for one in found if one.name in SHOWN]
        write_picture(lambda: page.figure(shown), ROOT / "docs" / "images", "rescored")
        write_tables(found, measured(detections[SMIL], truths[-1]))


def own_set(text: str, parser: argparse.ArgumentParser) -> PublishedSet:
    """A set that somebody adds as NAME=FILE."""
    name, _, file = text.partition("=")
    if not file:
        parser.error(f"{text!r} is not NAME=FILE")
    return PublishedSet(name, str(Path(file).absolute()), "not said", "a file of one's own", "-")


def read_truths(folder: Path) -> list[GroundTruth]:
    """The truth of 210 videos, then that of 212: a protocol gets the first that it fits."""
    unsure = folder / "Thumos14reduced-Annotations" / "Ambiguous_test.txt"
    names = ("gt410.json", "gt412.json")
    return [with_ambiguous(truth_from_json(folder / name, "test"), unsure) for name in names]


def write_page(
    out: Path, sets: Sequence[PublishedSet], found: Sequence[Rescoring], apart: Sequence[str]
) -> None:
    """`thumos14-rescored.md` and the records that it is made of."""
    lines = [
        f"# thumos14 ({STATUS}; not a ranking)",
        "",
        "Detections that others published, re-scored. Nothing was trained or localized again;",
        "which epoch was kept, and on which videos it was chosen, is each author's. Rows stand in",
        "one table only where the methods learnt from the same supervision, ordered by name. What",
        "the rules are: docs/protocols.md.",
        "",
    ]
    for supervision in dict.fromkeys(one.supervision for one in sets):
        chosen = [one.name for one in sets if one.supervision == supervision]
        lines += [f"## Learnt from {supervision}", ""]
        lines += [markdown(narrow([one for one in found if one.name in chosen])), ""]
    lines += [
        "Spread: the largest minus the smallest mAP that published rules give these detections at",
        "tIoU 0.5. Methods with full supervision are a ceiling for the others, not rivals.",
        "",
        *apart,
        "## Every protocol",
        "",
        page.to_markdown(found, page.keys(found)),
        *(f"- {one.name}: {one.source}. Licence {one.licence}." for one in sets),
        f"- {ZERO_SHOT_SOURCE}.",
        "- videos: test videos whose truth counts. Of two truths (210 and 212 videos) a protocol "
        "gets the first that it fits.",
        "- Made by `scripts/rescored`; `scripts/rescored NAME=FILE --out FOLDER` adds another set.",
    ]
    write_text(out / "thumos14-rescored.md", "\n".join(lines) + "\n")
    records = {one.name: dataclasses.asdict(one) for one in sets}
    data = {"status": STATUS, "sets": records, **page.content(found)}
    write_text(out / "thumos14-rescored.json", document(SCHEMA, "data", data) + "\n")


def narrow(found: Sequence[Rescoring]) -> Table:
    """A row for each set: under `common`, and how far published rules move it."""
    titles = ("@0.3", "@0.5", "@0.7", "mAP 0.1:0.7", "published rules @0.5", "spread")
    rows = []
    for one in found:
        (common,) = [row for row in one.rows if row.protocol.name == "thumos14/common"]
        others = [page.at(row, 0.5) for row in one.rows]
        known = [value for value in others if value is not None]
        low, high = min(known), max(known)
        values = [*(page.at(common, tiou) for tiou in (0.3, 0.5, 0.7))]
        cells = [*map(numbers.percent, values), numbers.percent(page.average(common, "0.1:0.7"))]
        cells += [f"{100 * low:.1f} to {100 * high:.1f}", f"{100 * (high - low):.1f}"]
        rows.append((Cell(one.name), *map(Cell, cells)))
    columns = (Column("detections of", "left"), *map(Column, titles))
    return Table(columns, tuple(rows))


def zero_shot_lines(folder: Path) -> list[str]:
    """Zero-shot detections by class split; classes and videos are others than above."""
    columns = (Column("classes left out", "left"), *(Column(f"@{k / 10:g}") for k in range(3, 8)))
    rows = []
    for split in zero_shot(folder):
        ends = zip(split.values.min(0), split.values.max(0), strict=True)
        cells = [
            f"{100 * mean:.1f} ({100 * low:.1f} to {100 * high:.1f})"
            for mean, (low, high) in zip(split.values.mean(0), ends, strict=True)
        ]
        rows.append((Cell(f"{split.seen} %, 10 splits"), *map(Cell, cells)))
    return [
        "## Zero-shot, apart",
        "",
        "Other classes and other videos than above: only the classes of a split count, on videos",
        "of both subsets. Mean over ten random splits, and the lowest and highest of them.",
        "",
        markdown(Table((*columns,), tuple(rows))),
        "",
    ]


def pseudo_label_lines(folder: Path, truth_file: Path) -> list[str]:
    """A paragraph on S-MIL's proposals on the videos that it learnt from."""
    found = pseudo_labels(folder, truth_file)
    return [
        "## As pseudo labels",
        "",
        f"P-MIL's repository also ships S-MIL's {found.proposals:,} proposals on the 200 training",
        f"videos, before any NMS: their mAP 0.1:0.7 is {100 * found.average:.1f}. Those with a",
        f"score above 0.4 that NMS at 0.5 leaves are {found.kept:,}, of which",
        f"{100 * found.precision:.0f} % hit a true segment at tIoU 0.5;",
        f"{100 * found.recall:.0f} % of the true segments are hit. That is the quality of pseudo",
        "labels that a student would begin with. 0.4 and 0.5 are conventional, not chosen here.",
        "",
    ]


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
    """Who uses which rules."""
    common = protocols.common("thumos14")
    columns = [Column("protocol", "left"), Column("repositories", "left")]
    columns += [Column("differs from common in", "left")]
    rows = []
    for first in found[0].rows:
        rules = first.protocol
        where = Cell(", ".join(rules.sources)), Cell(_differences(rules, common))
        rows.append((Cell(rules.name), *where))
    return Table(tuple(columns), tuple(rows))


def at_half(found: Sequence[Rescoring]) -> Table:
    """Every protocol by every set, at tIoU 0.5."""
    columns = (Column("mAP@0.5 under", "left"), *(Column(one.name) for one in found))
    rows = []
    for index, first in enumerate(found[0].rows):
        values = [numbers.percent(page.at(one.rows[index], 0.5)) for one in found]
        rows.append((Cell(first.protocol.name.partition("/")[2]), *map(Cell, values)))
    return Table(columns, tuple(rows))


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
        "rescored": page.to_markdown([one for one in found if one.name in SHOWN]),
        "sets": markdown(at_half(found)),
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

"""A diagnosis as texts: tables for a terminal, a few lines for a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wsal_bench.report.numbers import DASH, average_title, percent
from wsal_bench.report.stamp import QUICK_NOTE
from wsal_bench.report.table import Cell, Column, Table, plain

Document = Mapping[str, Any]


def to_text(data: Document) -> str:
    """Tables of everything in a diagnosis.

    Args:
        data: the content of a document `wsal-bench/diagnosis/1`.
    """
    parts = [
        *([QUICK_NOTE] if data.get("quick") else []),
        _scores(data),
        _profile(data),
        _gains(data),
        _missed(data),
        *(_sensitivity(data, part) for part in data["sensitivity"]),
        _classes(data),
        *([_grid(data["oracle_recipe"])] if data.get("oracle_recipe") else []),
        "\n".join(summary(data)) + "\n",
    ]
    return "\n".join(parts).rstrip("\n")


def summary(data: Document) -> list[str]:
    """What a diagnosis says in a few lines.

    Args:
        data: the content of a document `wsal-bench/diagnosis/1`.
    """
    title, middle = average_title(data["average"]), middle_tiou(data)
    errors, gain = data["errors"], data["errors"]["gain"]
    worst = max(gain, key=lambda kind: gain[kind]["map"])
    found, total = data["missed"]["found"][middle], data["missed"]["truths"]
    recall = data["recall"]
    lines = [
        f"{title} {percent(data['average_map'])}, normalised "
        f"{percent(data['average_normalised_map'])}",
        f"costliest error: {worst}; without it {title} would be "
        f"{percent(data['average_map'] + gain[worst]['map'])}",
        f"missed at tIoU {data['tiou'][middle]:g}: {total - found:,} of {total:,} true segments",
        f"average recall at tIoU {recall['tiou'][0]:g} to {recall['tiou'][-1]:g}: "
        f"{percent(recall['at']['10'])} with 10 and {percent(recall['at']['100'])} with 100 "
        f"proposals a video, area {percent(recall['area'])} "
        f"({recall['per_video']:.1f} proposals a video)",
    ]
    lines += [_snippets(part) for part in data["snippets"] or ()]
    if data["classification"]:
        lines.append(_classification(data["classification"]))
    if data.get("oracle_recipe"):
        lines += _oracle(data["oracle_recipe"])
    if any(errors["twins"]):
        lines.append(_twins(data, middle))
    return lines


def middle_tiou(data: Document) -> int:
    """Which threshold stands for all where one must: the one nearest to 0.5."""
    return int(np.argmin(np.abs(np.array(data["tiou"]) - 0.5)))


def bucket_range(trait: str, low: float, high: float | None) -> str:
    """What a bucket holds: lengths `3-6` in seconds, coverages `2-4` in percent, `2-40` instances.

    Args:
        trait: length, coverage or instances.
        low: is not in the bucket.
        high: is in it; None: there is no upper border.
    """
    if trait == "coverage":
        return f"> {100 * low:.2g}" if high is None else f"{100 * low:.2g}-{100 * high:.2g}"
    if high is None:
        return f"> {low:.3g}"
    if trait == "instances":
        return f"{high:g}" if high == low + 1 else f"{low + 1:g}-{high:g}"
    return f"{low:.3g}-{high:.3g}"


def _oracle(oracle: Document) -> list[str]:
    best = oracle["best"]
    return [
        f"ORACLE RECIPE (chosen on test, an upper bound of post-processing, never a headline): "
        f"{average_title(oracle['average'])} {percent(best['average'])} with {best['name']}, the "
        f"best of {len(oracle['tried'])} recipes; the run's own has {percent(oracle['own'])}"
    ]


def _snippets(part: Document) -> str:
    return (
        f"snippet AP of {part['name']}: {percent(part['map'])} (chance {percent(part['chance'])}); "
        f"inside videos that show the class {percent(part['map_inside'])} "
        f"(chance {percent(part['chance_inside'])})"
    )


def _classification(found: Document) -> str:
    rule = ", a cliff dive counts as a dive" if found["diving_rule"] else ""
    return f"video classification mAP {percent(found['map'])} over {found['videos']:,} videos{rule}"


def _twins(data: Document, middle: int) -> str:
    count, chosen = data["errors"]["twins"][middle], data["errors"]["equal_tiou"]
    taken = (
        "they count as wrong labels or confusions; --equal-tiou label judges them by their own "
        "class"
        if chosen == "first"
        else "they are judged by their own class"
    )
    return (
        f"note: for {count:,} of the detections that do not hit at tIoU {data['tiou'][middle]:g}, "
        f"a truth of their own class and one of another overlap equally well (moments that are "
        f"annotated twice, as CliffDiving and Diving of THUMOS14); {taken}"
    )


def _scores(data: Document) -> str:
    names = [f"@{tiou:g}" for tiou in data["tiou"]]
    columns = ["score (%)", *names, average_title(data["average"])]
    rows = [
        ("mAP", *data["map"], data["average_map"]),
        ("normalised mAP", *data["normalised_map"], data["average_normalised_map"]),
    ]
    return _table(columns, [(name, *map(percent, values)) for name, *values in rows])


def _profile(data: Document) -> str:
    middle, kinds = middle_tiou(data), data["errors"]["kinds"]
    slices = data["errors"]["slices"][middle]
    rows = []
    for index, counts in enumerate(slices):
        total = sum(counts)
        shares = [percent(count / total) if total else DASH for count in counts]
        rows.append((f"{index + 1}G", f"{total:,}", *shares))
    columns = [f"ranks, tIoU {data['tiou'][middle]:g}", "detections", *(f"{k} (%)" for k in kinds)]
    return _table(columns, rows)


def _gains(data: Document) -> str:
    gain = data["errors"]["gain"]
    columns = ["removing every", "mAP gains (points)", "normalised mAP gains (points)"]
    rows = [
        (kind, f"{100 * value['map']:+.1f}", f"{100 * value['normalised_map']:+.1f}")
        for kind, value in gain.items()
    ]
    return _table(columns, rows)


def _missed(data: Document) -> str:
    missed = data["missed"]
    columns = ["missed truths", *(f"@{tiou:g}" for tiou in data["tiou"])]
    by_reason = list(zip(*missed["missed"], strict=True))
    rows = [
        (name, *(f"{count:,}" for count in counts))
        for name, counts in zip(missed["reasons"], by_reason, strict=True)
    ]
    all_ = [f"{missed['truths'] - found:,}" for found in missed["found"]]
    return _table(columns, [*rows, (f"all, of {missed['truths']:,}", *all_)])


def _sensitivity(data: Document, part: Document) -> str:
    middle, unit = middle_tiou(data), {"length": " s", "coverage": " %"}.get(part["trait"], "")
    columns = [
        part["trait"],
        "truths",
        "classes",
        f"normalised {average_title(data['average'])} (%)",
        f"missed @{data['tiou'][middle]:g} (%)",
    ]
    rows = [
        (
            f"{name} ({bucket_range(part['trait'], low, high)}{unit})",
            f"{truths:,}",
            f"{classes:,}",
            percent(average),
            percent(missed[middle]),
        )
        for name, low, high, truths, classes, average, missed in zip(
            part["names"],
            part["edges"][:-1],
            part["edges"][1:],
            part["truths"],
            part["classes"],
            part["average"],
            part["missed"],
            strict=True,
        )
    ]
    return _table(columns, rows)


def _classes(data: Document) -> str:
    middle = middle_tiou(data)
    half = f"{data['tiou'][middle]:g}"
    columns = ["class", "truths", "detections", f"AP@{half} (%)", average_title(data["average"])]
    columns += ["normalised", f"missed @{half} (%)"]
    full = data["snippets"] is not None
    columns += ["snippet AP", "video AP"] if full else []
    rows = []
    for one in data["classes"]:
        values = [one["ap"][middle], one["average_ap"], one["average_normalised_ap"]]
        values += [one["missed"][middle]]
        values += [one["snippet_ap"], one["video_ap"]] if full else []
        rows.append(
            (one["name"], f"{one['truths']:,}", f"{one['detections']:,}", *map(percent, values))
        )
    return _table(columns, rows)


def _grid(oracle: Document) -> str:
    columns = ["recipes tried ON TEST (no result)", average_title(oracle["average"])]
    return _table(columns, [(one["name"], percent(one["average"])) for one in oracle["tried"]])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    first, *others = columns
    heads = (Column(first, "left"), *map(Column, others))
    return plain(Table(heads, tuple(tuple(map(Cell, row)) for row in rows)))

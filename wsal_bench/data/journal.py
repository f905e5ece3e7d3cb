"""What an import has done so far, a line for each video; a kill cuts at most the last one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from wsal_bench.api import Split
from wsal_bench.data.reading import Rows
from wsal_bench.data.store import Entry

JOURNAL: Final = "journal.jsonl"


def entry_of(found: Rows, first: int) -> Entry:
    """The index entry of a video whose rows begin at `first`."""
    return Entry(
        video_id=found.video.video_id,
        first=first,
        length=len(found.rows),
        group=found.video.group,
        labels=found.video.labels,
        sha256=found.sha256,
    )


def line_of(entry: Entry, found: Rows, split: Split) -> str:
    """What the journal says of a video whose rows are in the file."""
    facts = {
        "video": f"{split}/{entry.video_id}",
        "stamp": found.video.stamp,
        "first": entry.first,
        "length": entry.length,
        "sha256": entry.sha256,
        "dtype": found.rows.dtype.name,
        "width": found.rows.shape[1],
    }
    return json.dumps(facts) + "\n"


def read_journal(path: Path, facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Video -> what an earlier import noted; nothing where it was another kind of import."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    known: dict[str, dict[str, Any]] = {}
    try:
        if not lines or json.loads(lines[0]) != facts:
            return {}
        for line in lines[1:]:
            noted = json.loads(line)
            known[noted["video"]] = noted
    except json.JSONDecodeError:
        pass  # the line that a kill cut off; those before it are whole
    return known

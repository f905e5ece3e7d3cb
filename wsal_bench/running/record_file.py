"""Reading record.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsal_bench.errors import DataError, UnreadableError
from wsal_bench.files import read_json
from wsal_bench.running.cells import RunSpec

RECORD_SCHEMA = "wsal-bench/record/1"


def read_record(path: Path) -> dict[str, Any]:
    """A record, checked.

    Raises:
        DataError: it is missing, half-written, or without its main parts.
        UnreadableError: it is of a newer schema, or reading it failed.
    """
    record = read_json(path)
    schema = record.get("schema") if isinstance(record, dict) else None
    if isinstance(schema, str) and schema != RECORD_SCHEMA:
        raise UnreadableError(
            f"a record of the schema {schema!r}; this version knows {RECORD_SCHEMA} alone",
            hint="use the version that wrote it, or another folder of results",
            path=path,
        )
    if not isinstance(record, dict) or schema is None:
        raise DataError(f"not a record of the schema {RECORD_SCHEMA}", path=path)
    if record.get("status") not in ("ok", "failed") or not isinstance(record.get("spec"), dict):
        raise DataError("a record without a status or a specification", path=path)
    if not isinstance(record.get("digests", {}), dict):
        raise DataError("a record whose digests are none", path=path)
    try:
        RunSpec.from_json(record["spec"])
    except DataError as error:
        raise DataError(error.message, path=path) from error
    return record

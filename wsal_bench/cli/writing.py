"""Tables as files, one for each form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wsal_bench.cli.output import note
from wsal_bench.files import make_folder, write_text

FORMATS = ("md", "csv", "json", "latex")
_ENDINGS: Mapping[str, str] = {"latex": "tex"}


def write_forms(folder: Path, stem: str, forms: Mapping[str, str], wanted: str) -> None:
    """Writes `<stem>.md`, `.csv`, `.json`, `.tex`, or the one of them that is wanted.

    Args:
        folder: is made where it is not there.
        stem: of the files' names.
        forms: text by form.
        wanted: a form, or `all`.

    Raises:
        DataError: a file cannot be written.
    """
    make_folder(folder)
    for form, text in forms.items():
        if wanted in (form, "all"):
            path = folder / f"{stem}.{_ENDINGS.get(form, form)}"
            write_text(path, text)
            note(f"wrote {path}")

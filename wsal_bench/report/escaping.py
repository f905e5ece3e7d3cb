"""Text from elsewhere (names, remarks, errors) as each medium can bear it, a function each."""

from __future__ import annotations

import re
import unicodedata

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",  # \textquotedbl needs another font encoding
    "±": r"$\pm$",
    "✓": r"\checkmark{}",
    "Δ": r"$\Delta$",
    "≈": r"$\approx$",
    "†": r"$\dagger$",
}
_MINUS = re.compile(r"(?<![\w.:-])-(?=\d)")  # before a number, not inside a name or a range
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet computes
_CODE_SPAN = re.compile(r"(`[^`\n]*`)")
# control characters, what turns the direction of text, halves of characters
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def for_terminal(text: str) -> str:
    r"""Control characters as `\x1b`, so that no name moves the cursor; line breaks stay."""
    if text.isprintable():
        return text
    return "".join(
        character if character == "\n" or not _is_unseen(character) else _spelled(character)
        for character in text
    )


def for_markdown(text: str, *, code: bool = False) -> str:
    """One line without HTML, links, emphasis or new columns.

    Args:
        text: anything.
        code: code between backticks stays as it is (in sentences, not in cells of tables).
    """
    line = for_terminal(" ".join(text.split()))
    if not code:
        return _escaped(line).replace("`", r"\`")
    parts = _CODE_SPAN.split(line)
    return "".join(part if index % 2 else _escaped(part) for index, part in enumerate(parts))


def for_latex(text: str) -> str:
    """Letters and signs as LaTeX prints them, with minus signs before numbers."""
    line = for_terminal(" ".join(text.split()))
    signed = _MINUS.sub("\N{MINUS SIGN}", line)
    return "".join(_LATEX.get(character, character) for character in signed).replace(
        "\N{MINUS SIGN}", "$-$"
    )


def for_csv(value: object) -> object:
    """A text that a spreadsheet would compute gets an apostrophe; numbers stay."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def for_picture(text: str) -> str:
    """As for a terminal: XML has no control characters, fonts have no halves of characters."""
    return for_terminal(text)


def _escaped(text: str) -> str:
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, safe)
    text = re.sub(r"([\\|*])", r"\\\1", text)
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)  # inside a word it means nothing
    return text.replace("](", r"]\(")


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN or character in _TURNING


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")

"""What every table and picture of results must say above itself, whatever else it shows."""

from __future__ import annotations

from collections.abc import Sequence

QUICK = "QUICK"
QUICK_NOTE = f"{QUICK}: a smoke test on small data with short training; it ranks nothing."


def stamped(
    subject: str, *, quick: bool = False, obstacles: Sequence[str] = (), share: str = ""
) -> str:
    """A title with its reservations in brackets: `hapt (not a ranking: budgets differ)`.

    Args:
        subject: what is shown.
        quick: the results are of quick runs.
        obstacles: why there is no ranking; empty: there is one, or none is claimed.
        share: how many of the protocol's videos have features; empty: all.
    """
    said = [QUICK] if quick else []
    if obstacles:
        kinds = [text.partition(":")[0] for text in obstacles if text.startswith("budgets ")]
        said.append(": ".join(["not a ranking", *kinds]))
    if share:
        said.append(f"{share}, not a result of the whole protocol")
    return f"{subject} ({'; '.join(said)})" if said else subject

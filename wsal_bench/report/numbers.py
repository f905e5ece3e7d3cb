"""How numbers are written: scores in percent with one decimal, a dash for what is not known."""

from __future__ import annotations

from wsal_bench.statistics import Interval, NestedMean

DASH = "-"


def percent(fraction: float | None) -> str:
    """0.4123 -> "41.2"; None -> a dash."""
    return DASH if fraction is None else f"{100 * fraction:.1f}"


def mean_and_std(value: NestedMean, *, always: bool = False) -> str:
    """The text `41.2 ± 0.8`; `41.2` alone where there is one value.

    Args:
        value: fractions.
        always: a dash stands for the spread of one value.
    """
    if value.std is None:
        return f"{percent(value.mean)} ± {DASH}" if always else percent(value.mean)
    return f"{percent(value.mean)} ± {percent(value.std)}"


def interval(value: Interval | None) -> str:
    """The text `+1.2 [-0.3, +2.6]` in percentage points."""
    if value is None:
        return DASH
    difference, low, high = (100 * part for part in (value.difference, value.low, value.high))
    return f"{difference:+.1f} [{low:+.1f}, {high:+.1f}]"


def bounds(value: Interval | None) -> str:
    """The text `[50.3, 63.5]` in percent."""
    return DASH if value is None else f"[{100 * value.low:.1f}, {100 * value.high:.1f}]"


def seeds(value: NestedMean | None) -> str:
    """The text `3 x 2`: data seeds x training seeds."""
    return DASH if value is None else f"{value.num_data_seeds} x {value.num_seeds}"


def seconds(value: float | None) -> str:
    """Seconds with as many digits as matter."""
    if value is None:
        return DASH
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def count(value: int | None) -> str:
    """1234567 -> "1,234,567"."""
    return DASH if value is None else f"{value:,}"


def average_title(name: str) -> str:
    """An average with its range: `mAP@AVG(0.1:0.7)`; a single tIoU is no average."""
    try:
        return f"mAP@{float(name):g}"
    except ValueError:
        return f"mAP@AVG({name})"


def average_heading(name: str) -> str:
    """The same, as short as a column's heading should be: `mAP 0.1:0.7`."""
    return average_title(name).replace("@AVG(", " ").rstrip(")")

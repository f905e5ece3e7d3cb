"""How many examples a property test gets."""

from hypothesis import settings

TIMES = 10
"""So many times as many with --slow."""


def examples(number: int) -> settings:
    """So many examples, many more with --slow."""
    return settings(deadline=None, max_examples=number * times())


def times() -> int:
    """1, with --slow more: for loops over drawn cases that are no property tests."""
    return TIMES if settings.get_current_profile_name() == "slow" else 1

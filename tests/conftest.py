"""Which tests run: the ordinary ones, with --slow all but those that measure (`scripts/bench`)."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

ORDINARY, SLOW = "ordinary", "slow"
settings.register_profile(ORDINARY, deadline=None, max_examples=20)
settings.register_profile(SLOW, deadline=None, max_examples=400)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow",
        action="store_true",
        help="run the slow tests too, and property tests with many examples",
    )


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile(SLOW if config.getoption("--slow") else ORDINARY)


@pytest.hookimpl(tryfirst=True)  # before -m selects by these marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    slow, measures = config.getoption("--slow"), config.getoption("--benchmark-enable")
    for item in items:
        if slow and getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.slow)  # with many examples it is one of them
        if measures and "benchmark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.measured)
        if not slow and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: runs with --slow"))
        elif not measures and item.get_closest_marker("measured"):
            item.add_marker(pytest.mark.skip(reason="measures: scripts/bench runs it"))


@pytest.fixture
def small_heap() -> Iterator[None]:
    """Leaves what exists out of garbage collections, for what collects at every turn.

    After thousands of tests a collection takes half a second.
    """
    gc.freeze()
    yield
    gc.unfreeze()

"""The command line as a function, and what it is tried on."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.cli.made_up import Cli, MadeUpStore, write_toys
from wsal_bench.cli.app import app


@pytest.fixture
def cli() -> Cli:
    """Runs the command line in this process; stdout and stderr are kept apart."""

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def store(tmp_path: Path) -> MadeUpStore:
    return MadeUpStore(tmp_path / "results")


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    """A folder for `--plugins`."""
    return write_toys(tmp_path / "toys")

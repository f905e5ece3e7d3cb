"""The command line, one file per command; importing this package imports nothing else."""

from __future__ import annotations


def main() -> None:
    """Runs `wsal-bench` with the process's arguments and exits with its code."""
    from wsal_bench.cli.app import app  # --help must not wait for anything that it does not show

    app.main(prog_name="wsal-bench")

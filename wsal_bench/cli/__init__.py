"""The command line, one file per command; importing this package imports nothing else."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Runs `wsal-bench` with the process's arguments and exits with its code.

    Ctrl-C ends it without a traceback from here on, also while modules are imported and while the
    interpreter shuts down.
    """
    try:
        from wsal_bench.cli.app import app  # --help must not wait for what it does not show

        app.main(prog_name="wsal-bench")
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; the same command continues\n")
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

"""The command line, one file per command; importing this package imports nothing else."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

_INTERRUPTED = "error: interrupted; the same command continues\n"


def main() -> None:
    """Runs `wsal-bench` with the process's arguments and exits with its code.

    Ctrl-C ends it without a traceback from here on, also while modules are imported and while the
    interpreter shuts down.
    """
    try:
        signal.signal(signal.SIGINT, _interrupt)
        from wsal_bench.cli.app import app  # --help must not wait for what it does not show

        app.main(prog_name="wsal-bench")
    except KeyboardInterrupt:
        sys.stderr.write(_INTERRUPTED)
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    """Ends an import at once: raised within one, KeyboardInterrupt can meet C++, which aborts.

    Elsewhere it is raised as always, so that what is open is closed.
    """
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            shown = "\x1b[?25h" if sys.stderr.isatty() else ""  # a moving line hides the cursor
            workers = sys.modules.get("wsal_bench.running.workers")
            getattr(workers, "end_server", int)()  # int: there is none yet
            os.write(2, f"{shown}{_INTERRUPTED}".encode())
            os._exit(130)
        frame = frame.f_back
    raise KeyboardInterrupt

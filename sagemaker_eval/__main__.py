"""`sageval` and `python -m sagemaker_eval`: answers `--version` at once, hands everything else to the commands."""

from __future__ import annotations

import signal
import sys

from sagemaker_eval import __version__


def main() -> None:
    """Run the command line; exits with the documented codes."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"sageval {__version__}\n")
        return
    from sagemaker_eval.cli.interrupts import leave_at_once

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave_at_once)
    from sagemaker_eval.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

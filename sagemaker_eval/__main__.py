"""`sageval` and `python -m sagemaker_eval`: answers `--version` at once, hands everything else to the commands."""

from __future__ import annotations

import sys

from sagemaker_eval import __version__


def main() -> None:
    """Run the command line; exits with the documented codes."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"sageval {__version__}\n")
        return
    try:
        from sagemaker_eval.cli.app import run
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

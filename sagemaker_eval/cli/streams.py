"""The consoles of a command: results on stdout, everything else on stderr."""

from __future__ import annotations

import sys

from rich.console import Console

from sagemaker_eval.reporting.terminal import console_for


def stdout() -> Console:
    """The console for the table and the summary."""
    return console_for(sys.stdout)


def stderr() -> Console:
    """The console for progress, notes and errors."""
    return console_for(sys.stderr)

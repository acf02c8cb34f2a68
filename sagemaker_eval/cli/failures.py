"""What went wrong, said on stderr: every problem of a configuration with its place, or one error with its hint."""

from __future__ import annotations

import sys

from sagemaker_eval.errors import SagevalError


def print_failure(error: SagevalError) -> None:
    """Say an expected failure."""
    from sagemaker_eval.cli.streams import stderr
    from sagemaker_eval.config.explaining import render_problems
    from sagemaker_eval.errors import ConfigError
    from sagemaker_eval.reporting.messages import print_error

    if isinstance(error, ConfigError):
        sys.stderr.write(render_problems(error).rstrip("\n") + "\n")
    else:
        print_error(stderr(), error.message, error.hint)

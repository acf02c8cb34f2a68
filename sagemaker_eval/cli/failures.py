"""What went wrong, said on stderr: every problem of a configuration with its place, or one error with its hint."""

from __future__ import annotations

import os
import sys

from sagemaker_eval.errors import SagevalError


def print_failure(error: SagevalError) -> None:
    """Say an expected failure, without the secrets of the environment."""
    from sagemaker_eval.cli.scrubbing import Scrubber
    from sagemaker_eval.cli.streams import stderr
    from sagemaker_eval.config.explaining import render_problems
    from sagemaker_eval.errors import ConfigError
    from sagemaker_eval.reporting.messages import print_error

    scrub = Scrubber.of_environment(os.environ).text
    if isinstance(error, ConfigError):
        sys.stderr.write(scrub(render_problems(error)).rstrip("\n") + "\n")
    else:
        print_error(stderr(), scrub(error.message), error.hint and scrub(error.hint))

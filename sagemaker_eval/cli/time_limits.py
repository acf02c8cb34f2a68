"""How long cases and the run may take, as the flag, the configuration and promptfoo's variables say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sagemaker_eval.cli.requests import EvalRequest, number_from
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Suite
from sagemaker_eval.running.deadlines import TimeLimit, TimeLimits

_NUMBER = r"\d+(?:\.\d+)?"
_TIME = re.compile(rf"({_NUMBER})|(?:({_NUMBER})h)?(?:({_NUMBER})m)?(?:({_NUMBER})s)?")
_UNITS = (1.0, 3600.0, 60.0, 1.0)
_LONGEST_MS = 1e9


def seconds_of(option: str, text: str | None) -> float | None:
    """The seconds that `90s`, `15m`, `2h`, `1h30m` or a plain number tell. Raises `ConfigError` for anything else."""
    if text is None:
        return None
    match = _TIME.fullmatch(text.strip().lower())
    parts = match.groups() if match else ()
    seconds = sum(float(part) * unit for part, unit in zip(parts, _UNITS, strict=False) if part)
    if seconds <= 0:
        raise ConfigError.of(
            f"{option} takes a time, not `{text}`", hint="for example `90s`, `15m`, `2h`, `1h30m`, or plain seconds"
        )
    return seconds


def time_limits(request: EvalRequest, suite: Suite) -> TimeLimits:
    """The limits of a run. What is 0 is no limit. Raises `ConfigError` for a variable that holds no number."""
    case = _of_suite(suite.timeout_ms, "timeoutMs", suite.env, "PROMPTFOO_EVAL_TIMEOUT_MS")
    if request.max_time_s is not None:
        return TimeLimits(case, TimeLimit(request.max_time_s, "--max-time"))
    run = _of_suite(suite.max_eval_time_ms, "maxEvalTimeMs", suite.env, "PROMPTFOO_MAX_EVAL_TIME_MS")
    return TimeLimits(case, run)


def _of_suite(written: int | None, key: str, environ: Mapping[str, str], variable: str) -> TimeLimit | None:
    """What a key of `evaluateOptions` says, else the variable that stands in for it."""
    source, milliseconds = f"evaluateOptions.{key}", float(written or 0)
    if written is None:
        source, milliseconds = variable, number_from(environ, variable, 0, _LONGEST_MS) or 0.0
    return TimeLimit(milliseconds / 1000, source) if milliseconds else None

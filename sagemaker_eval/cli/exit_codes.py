"""Every exit code of `sageval`, and which one a finished run deserves."""

from __future__ import annotations

from sagemaker_eval.errors import ConfigError, SetupError
from sagemaker_eval.events import RunFinished

FINE = 0
BELOW_PASS_RATE = 1
NOT_STARTED = 2
BROKEN = 3
BUG = 4
INTERRUPTED = 130


def exit_code(finished: RunFinished, fail_under: float, max_error_rate: float, failed_exit_code: int) -> int:
    """The code of a run. `fail_under` is a percentage, `max_error_rate` a share of the finished cases, 0 to 1.

    A run that had to stop is BROKEN, but NOT_STARTED where its setup was wrong and nothing finished; one that lost
    cases is BROKEN. Too many errors win over a low pass rate, since a rate among few answers tells little.
    """
    total = finished.summary.total
    if finished.interrupted:
        return INTERRUPTED
    if finished.stopped_by is not None:
        wrong = isinstance(finished.stopped_by, ConfigError | SetupError)
        return NOT_STARTED if wrong and not total.finished else BROKEN
    if total.skipped:
        return BROKEN
    if total.finished and total.errored / total.finished > max_error_rate:
        return BROKEN
    rate = total.pass_rate
    if (0.0 if rate is None else rate) * 100 < fail_under:
        return failed_exit_code
    return FINE

"""`derivedMetrics`: figures of a column computed from its named scores, such as an F-score.

An expression sees the column's sums of each named score (score times weight, as promptfoo adds them), `__count` (its
finished cases), and the derived metrics before it. It is arithmetic in the style of mathjs: `^` is a power, and
the functions and constants of JavaScript's Math go by their bare names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import DerivedMetric, UserCode
from sagemaker_eval.text.code import Code, Role, compile_code
from sagemaker_eval.text.javascript.script import Style

COUNT = "__count"
ROLE = Role("derivedMetrics", ("namedScores", "context"), python_function="derive")


class DerivedMetrics:
    """The derived metrics of a suite, compiled. Raises `ConfigError` for an expression that cannot be read."""

    def __init__(self, metrics: Sequence[DerivedMetric]) -> None:
        self._metrics = [(metric.name, _compiled(metric)) for metric in metrics]

    def of(self, sums: Mapping[str, float], count: int) -> dict[str, float]:
        """The metrics of one column; one that cannot be computed, as from a name nobody scored, is left out."""
        known: dict[str, float] = {**sums, COUNT: float(count)}
        derived: dict[str, float] = {}
        for name, code in self._metrics:
            try:
                value = code.call(known, {"count": count})
            except ScriptError:
                continue
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                known[name] = derived[name] = float(value)
        return derived


def _compiled(metric: DerivedMetric) -> Code:
    source = metric.code.source
    if source.startswith("file://"):
        return compile_code(metric.code, ROLE)
    expression = source.replace("^", "**").strip().rstrip(";")
    body = f"with (Math) with (namedScores) {{ return ({expression}\n); }}"
    try:
        return compile_code(UserCode(body, metric.code.base_path, metric.code.where), _BODY)
    except ConfigError as error:
        message = f"the derived metric `{metric.name}` cannot be read: `{source}`"
        hint = "write arithmetic over names of metrics, such as `2 * precision * recall / (precision + recall)`"
        raise ConfigError.of(message, metric.code.where, hint) from error


_BODY = Role("derivedMetrics", ("namedScores", "context"), style=Style.BODY)

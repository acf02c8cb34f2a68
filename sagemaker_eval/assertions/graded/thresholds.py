"""Verdicts of assertions whose score, a share from 0 to 1, has to reach a threshold."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from sagemaker_eval.model import EMPTY, AssertionSpec, Json, TokenUsage, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text


def reached(
    spec: AssertionSpec,
    score: float,
    default: float,
    usage: TokenUsage | None,
    metadata: Mapping[str, Json] = EMPTY,
    more: str = "",
) -> Verdict:
    """The verdict of a score under `threshold`, else `default`; `not-` turns it round and scores 1 - score.

    As in promptfoo, a score that misses the threshold by no more than rounding has reached it.
    """
    threshold = default if spec.threshold is None else spec.threshold
    holds = score >= threshold - sys.float_info.epsilon
    relation = "reaches" if holds else "is below"
    reason = f"{spec.kind} score {to_text(round(score, 3))} {relation} the threshold of {to_text(threshold)}"
    told = f"{reason}: {more}" if more else reason
    return Verdict(holds is not spec.negated, 1.0 - score if spec.negated else score, told, spec, metadata, usage=usage)

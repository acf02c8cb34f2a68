"""The `webhook` assertion: a service of the user's own judges the output. It is asked only where a test says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject, is_templated, shortened
from sagemaker_eval.assertions.values import finite_number
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict

TIMEOUT_SECONDS = 5.0
"""promptfoo's own limit for one call."""

ATTEMPTS = 3


@ASSERTIONS.register("webhook")
def webhook(spec: AssertionSpec) -> Check:
    """The service at the URL in `value`, asked with POST {output, context}, answers {pass: true}."""
    if not isinstance(spec.value, str) or not (is_templated(spec.value) or is_url(spec.value)):
        raise ConfigError.of(
            f"`{spec.type}` needs a `value`: the URL to ask", hint="for example `https://checks.example.com/judge`"
        )

    async def check(subject: Subject) -> Verdict:
        url = subject.value
        if not is_url(url):
            raise CaseError(f"the URL of `{spec.type}` is `{shortened(str(url))}` for this case", "check its template")
        question = {
            "output": subject.response.output,
            "context": {"prompt": subject.prompt, "vars": dict(subject.vars)},
        }
        return _verdict(spec, url, await _asked(url, question))

    return check


def is_url(value: Json) -> bool:
    """Whether a value is an HTTP or HTTPS address."""
    return isinstance(value, str) and value.startswith(("http://", "https://"))


async def _asked(url: str, question: Json) -> tuple[int, str]:
    """(status, body) of the answer. What does not come to an answer, or is the service's fault, is asked again."""
    import aiohttp

    failure = ""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT_SECONDS), trust_env=True) as session:
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(0.1 * 2**attempt)
            try:
                async with session.post(url, json=question) as answer:
                    if answer.status < 500 or attempt == ATTEMPTS - 1:
                        return answer.status, await answer.text()
            except TimeoutError:
                failure = f"no answer within {TIMEOUT_SECONDS:g} s"
            except aiohttp.ClientError as error:
                failure = str(error) or type(error).__name__
    raise CaseError(f"the webhook `{url}` could not be asked: {failure}", "is the service running, and the URL right?")


def _verdict(spec: AssertionSpec, url: str, answer: tuple[int, str]) -> Verdict:
    status, body = answer
    if not 200 <= status < 300:
        raise CaseError(f"the webhook `{url}` answered HTTP {status}: {shortened(body)}", "look at the service's log")
    result = _decoded(body)
    if not isinstance(result, Mapping) or not isinstance(result.get("pass"), bool):
        raise CaseError(
            f"the webhook `{url}` answered `{shortened(body)}`", "it has to answer an object with `pass`: true or false"
        )
    passed = result["pass"] is not spec.negated
    score = finite_number(result.get("score", float(result["pass"])))
    if score is None:
        raise CaseError(f"the webhook `{url}` answered a `score` that is no number", "a score is a number from 0 to 1")
    reason = result.get("reason") or (PASSED if passed else f"the webhook `{url}` answered pass: {result['pass']}")
    return Verdict(passed, 1.0 - score if spec.negated else score, str(reason), spec)


def _decoded(body: str) -> Json:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None

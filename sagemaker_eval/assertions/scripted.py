"""Assertions in the user's own code: javascript and python, inline or from files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, is_templated
from sagemaker_eval.assertions.script_results import verdict_of
from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import AssertionSpec, Json, TestCase, UserCode, Verdict
from sagemaker_eval.text.code import PYTHON_MARK, Code, Role, compile_code
from sagemaker_eval.text.scripts import PREFIX

JAVASCRIPT = Role("javascript", ("output", "context"), python_function="get_assert")
PYTHON = Role("python", ("output", "context"), python_function="get_assert")

_KEPT = 256


@ASSERTIONS.register("javascript")
def javascript(spec: AssertionSpec) -> Check:
    """The JavaScript in `value` gives true, a number above 0 (or of at least `threshold`), or a result that passes."""
    return _scripted(spec, JAVASCRIPT, lambda source: source, "`output.length < 100`")


@ASSERTIONS.register("python")
def python(spec: AssertionSpec) -> Check:
    """The Python in `value` gives True, a number above 0 (or of at least `threshold`), or a result that passes."""
    return _scripted(spec, PYTHON, lambda source: f"{PYTHON_MARK} {source}", "`len(output) < 100`")


def _scripted(spec: AssertionSpec, role: Role, marked: Callable[[str], str], example: str) -> Check:
    if isinstance(spec.value, UserCode):
        return _judged_by(spec, compile_code(spec.value, role))
    if not isinstance(spec.value, str) or not spec.value.strip():
        raise ConfigError.of(f"`{spec.type}` needs a `value`: code, or a file", hint=f"for example {example}")
    if not is_templated(spec.value):
        return _judged_by(spec, compile_code(UserCode(marked(spec.value), where=spec.where), role))
    return _judged_by_templated(spec, lru_cache(_KEPT)(lambda source: compile_code(UserCode(marked(source)), role)))


def _judged_by(spec: AssertionSpec, code: Code) -> Check:
    async def check(subject: Subject) -> Verdict:
        return await _verdict(spec, code, subject)

    return check


def _judged_by_templated(spec: AssertionSpec, compiled: Callable[[str], Code]) -> Check:
    """Code with `{{name}}` in it is other code for each case: as promptfoo does, the value is put in as it stands."""

    def check(subject: Subject) -> Verdict | Awaitable[Verdict]:
        if _became_other_code(spec.value, subject.value):
            message = "the value of a variable made this code a file's or Python's: only what is written may be that"
            return Verdict(False, 0.0, f"{spec.kind}: {message}", spec)
        try:
            code = compiled(subject.value)
        except ConfigError as error:
            return Verdict(False, 0.0, f"{spec.kind}: {error.problems[0].message}", spec)
        return _verdict(spec, code, subject)

    return check


def _became_other_code(written: str, rendered: str) -> bool:
    """Whether a template turned JavaScript into the name of a script, or into Python, which no sandbox holds."""
    marks = (PREFIX, PYTHON_MARK)
    return rendered.strip().startswith(marks) and not written.strip().startswith(marks)


async def _verdict(spec: AssertionSpec, code: Code, subject: Subject) -> Verdict:
    """What the code says; an exception of the user's check is a failure, whether negated or not, as in promptfoo."""
    try:
        made = await code.acall(subject.response.output, context_of(spec, subject))
    except ScriptError as error:
        return Verdict(False, 0.0, error.message, spec)
    return verdict_of(made, spec)


def context_of(spec: AssertionSpec, subject: Subject) -> dict[str, Json]:
    """The `context` that a check sees, under promptfoo's names."""
    response = subject.response
    context: dict[str, Json] = {
        "prompt": subject.prompt,
        "vars": dict(subject.vars),
        "test": _test_view(subject.test),
        "logProbs": None if response.log_probs is None else list(response.log_probs),
        "provider": {"id": subject.provider.id, "label": subject.provider.label or ""},
        "providerResponse": {
            "output": response.output,
            "raw": response.raw,
            "cached": response.cached,
            "cost": response.cost,
            "latencyMs": response.latency_ms,
            "finishReason": response.finish_reason,
            "tokenUsage": {
                "prompt": response.usage.prompt,
                "completion": response.usage.completion,
                "total": response.usage.total,
            },
            "metadata": dict(response.metadata),
        },
        "metadata": dict(response.metadata),
    }
    if spec.config:
        context["config"] = dict(spec.config)
    return context


def _test_view(test: TestCase) -> dict[str, Json]:
    return {
        "description": test.description,
        "vars": _plain(test.vars),
        "assert": [{"type": spec.type, "value": _plain({"": spec.value})[""]} for spec in test.assertions],
        "threshold": test.threshold,
        "options": _plain(test.options),
        "metadata": dict(test.metadata),
    }


def _plain(values: Mapping[str, Json]) -> dict[str, Json]:
    """Values as the configuration has them: code by its text, and what is no JSON left out."""
    return {
        name: value.source if isinstance(value, UserCode) else value
        for name, value in values.items()
        if name != "provider" and isinstance(value, UserCode | str | int | float | bool | list | dict | None)
    }

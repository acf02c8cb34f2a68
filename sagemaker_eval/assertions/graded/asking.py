"""One question to a grader: its prompt, its reply, one chance to mend a reply that cannot be read.

A grader that fails says nothing about the output: what cannot be read is a `GraderError`, never a failed assertion.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

from sagemaker_eval.assertions.base import Subject, shortened
from sagemaker_eval.assertions.values import value_reader
from sagemaker_eval.errors import CaseError, ConfigError, RenderError
from sagemaker_eval.model import AssertionSpec, Json, Response, TokenUsage, compact_json

T = TypeVar("T")

Read = Callable[[str], T]
"""Takes what is wanted out of a reply. Raises `Unreadable`."""


class Unreadable(Exception):
    """A reply does not have the form that was asked for. The text is a clause: "has no JSON object"."""


class GraderError(CaseError):
    """A grader gave no verdict: nothing was learned about the output."""

    kind = "grader"


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """What was read out of a grader's reply, and the tokens that it took, a second try included."""

    value: T
    usage: TokenUsage


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What to ask. `prompt` is our own wording, used where the user gives none; `wanted` is the form of a good reply.

    `key` is for one of several prompts of an assertion: its name in a `rubricPrompt` that is a map, else its place.
    """

    prompt: str
    variables: Mapping[str, Json]
    read: Read[T]
    wanted: str
    key: str | int | None = None


def chat(system: str, user: str) -> str:
    """A prompt of two messages, as JSON: its texts are templates that are rendered one by one."""
    return chat_of(("system", system), ("user", user))


def chat_of(*turns: tuple[str, str]) -> str:
    """A chat as JSON, out of roles and what they say."""
    return compact_json([{"role": role, "content": content} for role, content in turns])


async def ask(spec: AssertionSpec, subject: Subject, question: Question[T], repeat: int = 0) -> Reply[T]:
    """Ask the assertion's text grader. Raises `GraderError` where its reply cannot be read, even when asked again.

    `repeat` counts askings of the same question that must not be answered by one call.
    """
    assert subject.graders is not None
    grader = subject.graders.text(spec, subject.test)
    prompt = rendered(spec, subject, question)
    first = await grader.ask(prompt, repeat)
    try:
        return Reply(question.read(reply_text(first)), first.usage)
    except Unreadable as error:
        second = await grader.ask(_repair(prompt, reply_text(first), f"{error}", question.wanted), repeat)
    usage = first.usage + second.usage
    try:
        return Reply(question.read(reply_text(second)), usage)
    except Unreadable as error:
        shown = shortened(reply_text(second)) or "nothing"
        raise GraderError(
            f"the grader's reply to `{spec.type}` {error}: {shown}",
            f"it was asked twice for {question.wanted}; a larger model, or a `rubricPrompt` of your own, may help",
        ) from None


def worded(spec: AssertionSpec, what: str, example: str) -> Callable[[Subject], str]:
    """The text that is the value of a spec, for each case.

    `what` says what the text is: "the criterion". Raises `ConfigError` where it is none; the reader raises `CaseError`
    for a case whose variables leave nothing of it.
    """

    def read(value: Json) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ConfigError.of(f"`{spec.type}` needs a `value`: {what}", hint=f"for example `{example}`")
        return value

    return value_reader(spec, read)


async def all_of(asked: Iterable[Awaitable[T]]) -> list[T]:
    """What is asked side by side, in order. Raises the first error once all have come back."""
    found = await asyncio.gather(*asked, return_exceptions=True)
    return [_raised(one) if isinstance(one, BaseException) else one for one in found]


def _raised(error: BaseException) -> NoReturn:
    raise error


def own_prompt(spec: AssertionSpec, subject: Subject, key: str | int | None = None) -> Json:
    """What the user's `rubricPrompt`, the assertion's or else the test's, has for a question; None: nothing."""
    for own in (spec.rubric_prompt, subject.test.options.get("rubricPrompt")):
        if own is not None:
            return _entry(own, key)
    return None


def rendered(spec: AssertionSpec, subject: Subject, question: Question[T]) -> str:
    """The prompt for the grader: the user's `rubricPrompt`, else ours, with the case's variables and the question's."""
    assert subject.templates is not None
    written = own_prompt(spec, subject, question.key)
    text = question.prompt if written is None else written if isinstance(written, str) else compact_json(written)
    try:
        return subject.templates.prompt(text).render(_as_text({**subject.vars, **question.variables}))
    except ConfigError as error:
        raise RenderError(f"`rubricPrompt`: {error.problems[0].message}", error.problems[0].hint) from error


def reply_text(response: Response) -> str:
    """A grader's reply as text."""
    return response.text


def _entry(own: Json, key: str | int | None) -> Json:
    """The part of a `rubricPrompt` that a question uses: the whole, or its entry where it has parts.

    A prompt that has no parts is meant for other assertions than those that ask several questions.
    """
    if key is None:
        return None if isinstance(own, Mapping) and "role" not in own else own
    if isinstance(key, str):
        return own.get(key) if isinstance(own, Mapping) else None
    if not isinstance(own, list) or key >= len(own):
        return None
    part = own[key]
    return part["content"] if isinstance(part, Mapping) and isinstance(part.get("content"), str) else part


def _as_text(variables: Mapping[str, Json]) -> dict[str, Json]:
    """Variables for a grader's prompt: objects, also right inside lists, become their JSON."""
    return {name: _stringified(value) for name, value in variables.items()}


def _stringified(value: Json) -> Json:
    if isinstance(value, Mapping):
        return compact_json(dict(value))
    if isinstance(value, list):
        return [compact_json(item) if isinstance(item, Mapping) else item for item in value]
    return value


def _repair(prompt: str, reply: str, flaw: str, wanted: str) -> str:
    """The same conversation, continued with what is wrong with the reply."""
    complaint = f"That reply {flaw}. Answer once more, with {wanted} and nothing else."
    try:
        messages = json.loads(prompt)
    except (ValueError, RecursionError):
        messages = None
    if isinstance(messages, list) and all(isinstance(message, dict) for message in messages):
        turns = [{"role": "assistant", "content": reply or "(empty)"}, {"role": "user", "content": complaint}]
        return json.dumps([*messages, *turns], ensure_ascii=False)
    return f"{prompt}\n\nYour reply was:\n{reply}\n\n{complaint}"

"""The context of a retrieval assertion: the passages that a model was given to answer from."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sagemaker_eval.assertions.base import Subject, shortened
from sagemaker_eval.errors import CaseError, ScriptError
from sagemaker_eval.model import AssertionSpec, Json, compact_json
from sagemaker_eval.text.code import Role, compile_code
from sagemaker_eval.text.javascript.script import UNDEFINED

CONTEXT_TRANSFORM = Role("contextTransform", ("output", "context"), python_function="get_transform")

_END_OF_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+")


@dataclass(frozen=True, slots=True)
class Context:
    """One text, or passages (as from a search)."""

    passages: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.passages)

    @property
    def units(self) -> tuple[str, ...]:
        """What is counted: passages; of a single text its lines, of a single line its sentences."""
        if len(self.passages) > 1:
            return self.passages
        lines = [line for line in self.text.splitlines() if line.strip()]
        return tuple(lines if len(lines) > 1 else filter(str.strip, _END_OF_SENTENCE.split(self.text)))


def context_reader(spec: AssertionSpec, or_prompt: bool = False) -> Callable[[Subject], Awaitable[Context]]:
    """The context of each subject: what `contextTransform` makes of the output, else the variable `context`.

    `or_prompt`: else the prompt. Raises `ConfigError` for a transform that cannot be loaded; the reader raises
    `CaseError` where a case has no context.
    """
    transform = None if spec.context_transform is None else compile_code(spec.context_transform, CONTEXT_TRANSFORM)

    async def read(subject: Subject) -> Context:
        if transform is not None:
            made = await transform.acall(_of_provider(subject), _seen(subject))
            if (context := _context(made)) is None:
                raise ScriptError(f"`contextTransform` returned {_shown(made)}", "return a text, or a list of texts")
            return context
        written = subject.vars.get("context")
        if written in (None, "") and or_prompt:
            written = subject.prompt
        if (context := _context(written)) is None:
            raise CaseError(
                f"`{spec.type}` has no context: the variable `context` is {_shown(written)}",
                "set the variable to a text or a list of texts, or take it out of the output by `contextTransform`",
            )
        return context

    return read


def query_reader(spec: AssertionSpec) -> Callable[[Subject], str]:
    """The variable `query` of each subject. The reader raises `CaseError` where a case has none."""

    def read(subject: Subject) -> str:
        query = subject.vars.get("query")
        if not isinstance(query, str) or not query.strip():
            raise CaseError(
                f"`{spec.type}` has no question: the variable `query` is {_shown(query)}", "set it to what was asked"
            )
        return query

    return read


def _context(value: Json) -> Context | None:
    passages = value if isinstance(value, list) else [value]
    texts = [passage if isinstance(passage, str) else _written(passage) for passage in passages]
    kept = tuple(text for text in texts if text.strip())
    return Context(kept) if kept else None


def _written(passage: Json) -> str:
    """A passage that is an object, as retrievers give it: its text, else the whole as JSON."""
    if passage is None or passage is UNDEFINED or isinstance(passage, bool | int | float):
        return ""
    if isinstance(passage, Mapping):
        for name in ("text", "content", "page_content", "pageContent"):
            if isinstance(passage.get(name), str):
                return str(passage[name])
    return compact_json(passage)


def _seen(subject: Subject) -> Mapping[str, Json]:
    return {
        "vars": dict(subject.vars),
        "prompt": {"raw": subject.prompt, "label": subject.template.label},
        "metadata": dict(subject.response.metadata),
    }


def _shown(value: Json) -> str:
    if value is None or value is UNDEFINED:
        return "missing"
    return f"`{shortened(str(value), 60)}`"


def _of_provider(subject: Subject) -> Json:
    """The output as the provider and its own transform made it: the test's transform may have dropped the context."""
    stages = subject.response.stages
    return stages[-1] if stages else subject.response.output

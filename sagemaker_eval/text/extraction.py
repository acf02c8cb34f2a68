"""What `responseFormat.path` says: which part of an answer is the output, by JSONPath or by a Python function."""

from __future__ import annotations

from typing import Any

from sagemaker_eval.errors import ConfigError, ExtractionError, ScriptError
from sagemaker_eval.model import Json, compact_json
from sagemaker_eval.text.jsonpath import parse_path
from sagemaker_eval.text.scripts import call, load_function, positional_arguments
from sagemaker_eval.text.suggestions import Step, describe, listed_keys, path_of, suggest_paths

DEFAULT_FUNCTION = "get_transform"
"""The function of a `file://` path that names none: promptfoo's name for whatever transforms a value."""

_MISSING = object()


class ResponsePath:
    """A JSONPath, checked and compiled. `source` is the path as the user wrote it."""

    def __init__(self, source: str, tree: Any) -> None:
        self.source = source
        self._tree = tree
        self._steps, self._plain = _leading_steps(tree)

    @classmethod
    def compile(cls, source: str) -> ResponsePath:
        """The path in `source`: JSONPath as jsonpath-ng knows it, or promptfoo's `json.choices[0].text`.

        Raises `ConfigError` without a place for JavaScript, for what does not parse and for what can mean nothing.
        """
        return cls(" ".join(source.split()), parse_path(source))

    def extract(self, document: Json) -> Json:
        """The value that the path leads to, the list of them where it leads to several.

        Raises `ExtractionError` where it leads to nothing or to null, saying what is there instead.
        """
        found = _walk(document, self._steps) if self._plain else self._searched(document)
        if found is _MISSING:
            raise self._miss(document)
        if found is None:
            raise ExtractionError(f"`{self.source}` is null in this answer", hint=self._hint(document))
        return found

    def _searched(self, document: Json) -> Json:
        try:
            values = [match.value for match in self._tree.find(document)]
        except Exception as error:  # jsonpath-ng's operators raise whatever the value under them raises
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise ExtractionError(
                f"`{self.source}` cannot be applied to this answer: {reason}",
                hint=self._hint(document),
            ) from error
        if not values:
            return _MISSING
        if len(values) == 1:
            return values[0]
        return None if all(value is None for value in values) else values

    def _miss(self, document: Json) -> ExtractionError:
        deepest, value, step = _deepest(document, self._steps)
        there = f"`{path_of(deepest)}` is {describe(value)}"
        if isinstance(step, int) and not isinstance(value, list):
            there += ", not a list"
        elif isinstance(step, str) and not isinstance(value, dict):
            there += ", not an object"
        top = f"; the answer has the {listed_keys(document)}" if deepest and isinstance(document, dict) else ""
        return ExtractionError(f"`{self.source}` finds nothing: {there}{top}", hint=self._hint(document))

    def _hint(self, document: Json) -> str:
        paths = suggest_paths(document, self.source)
        if not paths:
            return "the answer holds no value that a path could lead to"
        nearest, *others = (f"`{path}`" for path in paths)
        return f"did you mean {nearest}?" + (f" Also there: {', '.join(others)}" if others else "")


class ScriptPath:
    """A Python function of the user that takes the decoded answer and returns the output.

    It is called as `function(json)` or `function(json, context)`, where `context` is promptfoo's `{"prompt": {}}`.
    """

    def __init__(self, source: str, base_path: str) -> None:
        self.source = source
        self._function = load_function(source, base_path, DEFAULT_FUNCTION)
        accepted = positional_arguments(self._function)
        if not accepted & {1, 2}:
            raise ConfigError.of(
                f"the function of `{source}` cannot be called with the answer",
                hint="give it one parameter, the decoded JSON, or two, the decoded JSON and a context",
            )
        self._with_context = 2 in accepted

    def extract(self, document: Json) -> Json:
        """What the function returns. Raises `ScriptError` where it raises, or returns None or what is not JSON."""
        arguments = (document, {"prompt": {}}) if self._with_context else (document,)
        output = call(self._function, *arguments, what="response path")
        if output is None:
            raise ScriptError(f"`{self.source}` returned None", hint="return the text of the answer")
        if not isinstance(output, str):
            try:
                compact_json(output)
            except (TypeError, ValueError, RecursionError) as error:
                raise ScriptError(
                    f"`{self.source}` returned what is not JSON: a value of type `{type(output).__name__}`",
                    hint="return a string, or lists, dicts and numbers",
                ) from error
        return output


def compile_response_path(source: str, base_path: str) -> ResponsePath | ScriptPath:
    """What `responseFormat.path` says: `file://extract.py[:function]`, relative to `base_path`, or else a path.

    A reference that names no function means `get_transform`. Raises `ConfigError` without a place.
    """
    if source.strip().startswith("file://"):
        return ScriptPath(source.strip(), base_path)
    return ResponsePath.compile(source)


def _leading_steps(tree: Any) -> tuple[tuple[Step, ...], bool]:
    """The single keys and indices that a path begins with, and whether it consists of nothing else."""
    from jsonpath_ng import Child, Fields, Index, Root

    nodes = []
    while isinstance(tree, Child):
        nodes.append(tree.right)
        tree = tree.left
    if not isinstance(tree, Root):
        nodes.append(tree)
    steps: list[Step] = []
    for node in reversed(nodes):
        if isinstance(node, Fields) and len(node.fields) == 1:
            steps.append(node.fields[0])
        elif isinstance(node, Index) and len(node.indices) == 1:
            steps.append(node.indices[0])
        else:
            return tuple(steps), False
    return tuple(steps), True


def _walk(document: Json, steps: tuple[Step, ...]) -> Json:
    """The value at the end of the steps, as jsonpath-ng would find it; `_MISSING` where there is none."""
    value = document
    for step in steps:
        value = _step(value, step)
        if value is _MISSING:
            break
    return value


def _step(value: Json, step: Step) -> Json:
    if isinstance(step, str):
        return value.get(step, _MISSING) if isinstance(value, dict) else _MISSING
    return value[step] if isinstance(value, list) and -len(value) <= step < len(value) else _MISSING


def _deepest(document: Json, steps: tuple[Step, ...]) -> tuple[tuple[Step, ...], Json, Step | None]:
    """How far the steps lead, the value there, and the step that fails (None where all of them lead somewhere)."""
    value = document
    for count, step in enumerate(steps):
        inner = _step(value, step)
        if inner is _MISSING:
            return steps[:count], value, step
        value = inner
    return steps, value, None

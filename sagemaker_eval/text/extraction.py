"""What `responseFormat.path` says: which part of an answer is the output, by JSONPath or by code of the user."""

from __future__ import annotations

from typing import Any

from sagemaker_eval.errors import ExtractionError, ScriptError
from sagemaker_eval.model import Json, UserCode
from sagemaker_eval.text.code import PYTHON_MARK, Role, compile_code
from sagemaker_eval.text.javascript.script import UNDEFINED
from sagemaker_eval.text.jsonpath import JavaScriptExpression, parse_path, shown
from sagemaker_eval.text.scripts import PREFIX
from sagemaker_eval.text.suggestions import Step, describe, listed_keys, path_of, suggest_paths

ROLE = Role("response path", ("json", "context"), least=1)

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

    async def aextract(self, document: Json) -> Json:
        """As `extract`."""
        return self.extract(document)

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
    """Code of the user that takes the decoded answer and returns the output, in JavaScript or Python.

    It is called as `function(json, context)`, where `context` is promptfoo's `{"prompt": {}}`; inline code sees both
    names.
    """

    def __init__(self, source: str, base_path: str) -> None:
        self.source = " ".join(source.split())
        self._code = compile_code(UserCode(source, base_path), ROLE)

    def extract(self, document: Json) -> Json:
        """What the code returns, waited for. Raises `ScriptError` for code that fails or returns nothing."""
        return self._output(self._code.call(document, {"prompt": {}}), document)

    async def aextract(self, document: Json) -> Json:
        """As `extract`, while the event loop goes on."""
        return self._output(await self._code.acall(document, {"prompt": {}}), document)

    def _output(self, output: Json, document: Json) -> Json:
        if output is not None and output is not UNDEFINED:
            return output
        raise ScriptError(
            f"`{shown(self.source)}` returned nothing",
            hint=f"return the text of the answer, which is {describe(document)}",
        )


def compile_response_path(source: str, base_path: str) -> ResponsePath | ScriptPath:
    """What `responseFormat.path` says: a JSONPath, a chain such as `json.choices[0].text`, or code.

    Code is `file://extract.js[:function]` and `file://extract.py[:function]` (`get_transform` where none is named),
    relative to `base_path`, a JavaScript expression over `json`, and Python after `python:`. Raises `ConfigError`
    without a place.
    """
    if source.strip().startswith((PREFIX, PYTHON_MARK)):
        return ScriptPath(source.strip(), base_path)
    try:
        return ResponsePath.compile(source)
    except JavaScriptExpression:
        return ScriptPath(source, base_path)


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

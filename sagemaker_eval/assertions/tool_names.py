"""The names of the tools that an output calls, in the shapes of OpenAI, Anthropic and Google, also inside a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder

from sagemaker_eval.assertions.json_schema.json_text import NotJson, parse_json
from sagemaker_eval.model import Json

_raw_decode = JSONDecoder().raw_decode
_CODE_BLOCK = re.compile(r"^[ \t]*(?P<fence>```|~~~).*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_LINE_WITH_JSON = re.compile(r"^[ \t]*[\[{]", re.MULTILINE)
_LINE_END = re.compile(r"[ \t\r]*$", re.MULTILINE)


def called_tools(output: Json) -> frozenset[str]:
    """The names of all tools that an output calls; none where it calls none."""
    return frozenset(_names(output))


def _names(output: Json) -> Iterator[str]:
    if isinstance(output, str):
        yield from _in_text(output)
    elif isinstance(output, list):
        for item in output:
            if isinstance(item, dict):
                yield from _of_item(item)
    elif isinstance(output, dict):
        yield from _of_object(output)


def _of_object(output: dict[str, Json]) -> Iterator[str]:
    """The names in an object that stands alone: a message with calls, or a single call."""
    calls = output.get("tool_calls")
    live = output.get("toolCall")
    if isinstance(calls, list):
        for call in calls:
            yield from _texts(_member(call, "function", "name"), _member(call, "name"))
    elif output.get("type") in ("tool_use", "function_call"):
        yield from _texts(output.get("name"))
    elif isinstance(output.get("functionCall"), dict):
        yield from _texts(output["functionCall"].get("name"))
    elif isinstance(live, dict) and isinstance(live.get("functionCalls"), list):
        for call in live["functionCalls"]:
            yield from _texts(_member(call, "name"))


def _of_item(item: dict[str, Json]) -> Iterator[str]:
    """The name in one element of a list of calls or of content blocks."""
    if item.get("type") == "tool_use" and isinstance(item.get("name"), str):
        yield item["name"]
    elif isinstance(item.get("functionCall"), dict):
        yield from _texts(item["functionCall"].get("name"))
    elif isinstance(item.get("function"), dict):
        yield from _texts(item["function"].get("name"))
    else:
        yield from _texts(item.get("name"))


def _member(value: Json, *path: str) -> Json:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _texts(*values: Json) -> Iterator[str]:
    return (value for value in values if isinstance(value, str))


def _in_text(text: str) -> Iterator[str]:
    """The names in a text that is JSON, or that has JSON on lines of its own; what is quoted in code is no call."""
    try:
        yield from _names(parse_json(text))
        return
    except (NotJson, RecursionError):
        pass
    text = _CODE_BLOCK.sub("", text)
    position = 0
    while start := _LINE_WITH_JSON.search(text, position):
        position = start.end()
        try:
            document, end = _raw_decode(text, start.end() - 1)
        except JSONDecodeError:
            continue
        except RecursionError:  # no call is nested that deeply, and each line of it would be tried in vain
            return
        if _LINE_END.match(text, end):
            yield from _names(document)
        position = end

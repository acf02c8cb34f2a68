"""JSON text as RFC 8259 means it, with what the RFC leaves open refused."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(NaN|-?Infinity)')
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


class RepeatedKey(Exception):
    """A key stands twice in one object; `json` does not tell where."""


class _Constant(Exception):
    pass


def decode_json(text: str, path: str, first_line: int, max_depth: int) -> Json:
    """The document of a JSON text that starts on line `first_line` of its file.

    Raises `RepeatedKey`, and `ConfigError` with a place for broken JSON, NaN and infinities, half a surrogate pair,
    and nesting deeper than `max_depth`.
    """
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        message = f"invalid JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise ConfigError.of(message, _place(text, error.pos, path, first_line)) from None
    except _Constant as error:
        offset = next(match.start() for match in _STRING_OR_CONSTANT.finditer(text) if match[1])
        raise ConfigError.of(f"`{error}` is not a JSON value", _place(text, offset, path, first_line)) from None
    except RecursionError:
        raise _too_deep(path, first_line, max_depth) from None
    except ValueError:
        raise ConfigError.of("a number has thousands of digits", Place(path, first_line)) from None
    if _SURROGATE.search(text):
        _check_surrogates(text, path, first_line)
    if text.count("[") + text.count("{") > max_depth and _depth(document) > max_depth:
        raise _too_deep(path, first_line, max_depth)
    return document


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKey(next(key for position, key in enumerate(keys) if key in keys[:position]))
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise _Constant(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _check_surrogates(text: str, path: str, first_line: int) -> None:
    half = next((match for match in _ESCAPES.finditer(text) if match[1]), None)
    if half:
        place = _place(text, half.start(), path, first_line)
        hint = "the text was probably cut inside a character; remove the escape"
        raise ConfigError.of(f"the escape `{half[1]}` is half of a character", place, hint)


def _depth(document: Json) -> int:
    depth, level = 0, [document]
    while level := [node for node in level if isinstance(node, dict | list)]:
        depth += 1
        level = [child for node in level for child in (node.values() if isinstance(node, dict) else node)]
    return depth


def _too_deep(path: str, line: int, max_depth: int) -> ConfigError:
    return ConfigError.of(f"values are nested more than {max_depth} levels deep", Place(path, line))


def _place(text: str, offset: int, path: str, first_line: int) -> Place:
    return Place(path, first_line + text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset))

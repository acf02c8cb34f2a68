"""The kinds of values that options of the command line have where a configuration sets them."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from sagemaker_eval.config.fields import Count, Filled, refusal
from sagemaker_eval.model import Json

_RANGE = re.compile(r"[0-9]*:[0-9]*")
_PAIR = re.compile(r"[^=]+=.*", re.DOTALL)


def _as_list(value: Json) -> Json:
    if not isinstance(value, str | list):
        raise refusal("must be a text or a list of texts")
    return [value] if isinstance(value, str) else value


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError) as error:
        raise refusal(f"must be a regular expression: {error}") from None
    return text


def _range(text: str) -> str:
    if not _RANGE.fullmatch(text):
        raise refusal("must be `start:end` such as `0:10` or `10:`")
    return text


def _pair(text: str) -> str:
    if not _PAIR.fullmatch(text):
        raise refusal("must be `name=value`")
    return text


Pattern: TypeAlias = Annotated[Filled, AfterValidator(_pattern)]
Range: TypeAlias = Annotated[str, AfterValidator(_range)]
Texts: TypeAlias = Annotated[list[Filled], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]
"""A list of texts; one text alone is a list of one."""
Pairs: TypeAlias = Annotated[
    list[Annotated[str, AfterValidator(_pair)]], BeforeValidator(_as_list, json_schema_input_type=str | list[str])
]
CellLength: TypeAlias = Annotated[Count, Field(ge=10)]
"""Characters of an answer that the table shows."""

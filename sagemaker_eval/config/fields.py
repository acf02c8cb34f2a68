"""The kinds of values that configuration fields hold, with the leniency that environment variables need.

Numbers and switches may come as text, since `{{env.X}}` yields text; true and false are never numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import CoreSchema, no_info_wrap_validator_function

from sagemaker_eval.model import Json

WORDED = "worded"
"""The type of pydantic errors whose text is a finished clause after the name of the key."""

_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_REGION = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HEADER = re.compile(r"[\x20-\x7e]{1,1024}")
_PERCENT = re.compile(r"\s*([0-9.]+)\s*%\s*")


@dataclass(frozen=True, slots=True)
class Shapes:
    """Annotates a value that is taken as it is, to be sorted by its shape later; JSON Schema shows `type`."""

    type: Any

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_wrap_validator_function(lambda value, _: value, handler.generate_schema(self.type))


def refusal(clause: str) -> PydanticCustomError:
    """The error of a validator: `clause` follows the key's name in the message ("must be …")."""
    return PydanticCustomError(WORDED, "{clause}", {"clause": clause})


def endpoint_flaw(name: str) -> str | None:
    """What keeps `name` from being an endpoint's name in the InvokeEndpoint API, as a clause; None where it is one."""
    if len(name) <= 63 and _ENDPOINT.fullmatch(name):
        return None
    return "must be an endpoint's name: 1 to 63 letters, digits and inner hyphens"


def _not_a_switch(value: Json) -> Json:
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "a number is needed")
    return value


def _endpoint(value: str) -> str:
    if flaw := endpoint_flaw(value):
        raise refusal(flaw)
    return value


def _region(value: str) -> str:
    if not _REGION.fullmatch(value):
        raise refusal("must be the name of an AWS region, such as `us-east-1`")
    return value


def _header(value: str) -> str:
    if not _HEADER.fullmatch(value):
        raise refusal("must be 1 to 1024 printable ASCII characters")
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        raise refusal("must be a URL that begins with `http://` or `https://`")
    return value


def _not_empty(value: str) -> str:
    if not value:
        raise refusal("must not be empty")
    return value


def _filled(value: str) -> str:
    if not value.strip():
        raise refusal("must not be empty")
    return value


def _share(value: Json) -> Json:
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if percent is None:
        return value
    try:
        return float(percent[1]) / 100
    except ValueError:
        return value


def _script(value: str) -> str:
    if not value.startswith("file://"):
        raise refusal("must name a script: `file://script.js` or `file://script.py`, with `:function` or without")
    return value


_NUMERIC = BeforeValidator(_not_a_switch)

Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False), _NUMERIC]
NotNegative: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False), _NUMERIC]
WholeNotNegative: TypeAlias = Annotated[int, Field(ge=0), _NUMERIC]
Count: TypeAlias = Annotated[int, Field(ge=1), _NUMERIC]
Rate: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False), _NUMERIC]
RequestTtl: TypeAlias = Annotated[int, Field(ge=60, le=21_600), _NUMERIC]
"""Seconds that SageMaker may keep an asynchronous request in its queue."""
InvocationTimeout: TypeAlias = Annotated[int, Field(ge=1, le=3_600), _NUMERIC]
"""Seconds that a model may take over an asynchronous request."""
TopP: TypeAlias = Annotated[float, Field(gt=0, le=1), _NUMERIC]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1), _NUMERIC, BeforeValidator(_share)]
"""A part of a whole, 0 to 1; text such as `5%` is 0.05."""
NotEmpty: TypeAlias = Annotated[str, AfterValidator(_not_empty)]
Filled: TypeAlias = Annotated[str, AfterValidator(_filled)]
EndpointName: TypeAlias = Annotated[str, AfterValidator(_endpoint)]
Region: TypeAlias = Annotated[str, AfterValidator(_region)]
HeaderValue: TypeAlias = Annotated[str, AfterValidator(_header)]
HttpUrl: TypeAlias = Annotated[str, AfterValidator(_url)]
ScriptReference: TypeAlias = Annotated[str, AfterValidator(_script)]

"""The kinds of values that settings of endpoints have: members of a call, rates, roles, buckets."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, TypeAdapter, ValidationError

from sagemaker_eval.config.fields import Count, NotEmpty, NotNegative, refusal
from sagemaker_eval.config.routing_members import BY_KEY, is_templated
from sagemaker_eval.model import Json

AUTO: Literal["auto"] = "auto"

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]{1,512}")
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[a-zA-Z0-9!_.*'()/-]{1,512}")
_S3 = "s3://"
_COUNT: TypeAdapter[int] = TypeAdapter(Count)
_SECONDS: TypeAdapter[float] = TypeAdapter(NotNegative)
_SWITCHES = {"true": True, "false": False}


def _routed(key: str) -> AfterValidator:
    """Checks a value against the constraints of its member, as far as it is known before the first case."""

    def check(value: str) -> str:
        if not value:
            raise refusal("must not be empty")
        flaw = None if is_templated(value) else BY_KEY[key].flaw(value)
        if flaw:
            raise refusal(flaw)
        return value

    return AfterValidator(check)


def _expression(value: Json) -> Json:
    """`true` and `false` as the JMESPath literals that mean them."""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else value


def _variants(names: list[str]) -> list[str]:
    if not names:
        raise refusal("must not be empty")
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice:
        raise refusal(f"must not name `{twice}` twice")
    return names


def _variant(name: str) -> str:
    if flaw := BY_KEY["targetVariant"].flaw(name):
        raise refusal(flaw)
    return name


def _cap(value: Json) -> int | str:
    if value == AUTO:
        return AUTO
    try:
        return _COUNT.validate_python(value)
    except ValidationError:
        raise refusal(f"must be a whole number from 1, or `{AUTO}`") from None


def _patience(value: Json) -> float | bool:
    switch = value if isinstance(value, bool) else _SWITCHES.get(value) if isinstance(value, str) else None
    if switch is not None:
        return switch
    try:
        return _SECONDS.validate_python(value)
    except ValidationError:
        raise refusal("must be true, false or a number of seconds from 0") from None


def _transport(value: str) -> str:
    if value not in ("sagemaker", "openai"):
        raise refusal("must be `sagemaker` or `openai`")
    return value


def _role(value: str) -> str:
    if not _ROLE.fullmatch(value):
        raise refusal("must be the ARN of a role, such as `arn:aws:iam::111122223333:role/evaluation`")
    return value


def _external_id(value: str) -> str:
    if not _EXTERNAL_ID.fullmatch(value):
        raise refusal("must be 2 to 1224 letters, digits and any of `_+=,.@:/-`")
    return value


def _prefix(value: str) -> str:
    if not _PREFIX.fullmatch(value) or not value.strip("/"):
        raise refusal("must be 1 to 512 letters, digits and any of `/!_.*'()-`")
    return value


def _bucket(value: str) -> str:
    name, _, prefix = value.removeprefix(_S3).partition("/")
    if not _BUCKET.fullmatch(name) or (not value.startswith(_S3) and "/" in value):
        raise refusal("must be a bucket's name, or `s3://bucket/prefix`")
    if prefix.strip("/"):
        _prefix(prefix)
    return value


CustomAttributes: TypeAlias = str | dict[str, str | float | bool]
EnableExplanations: TypeAlias = Annotated[
    str, BeforeValidator(_expression, json_schema_input_type=bool | str), _routed("enableExplanations")
]
InferenceComponentName: TypeAlias = Annotated[str, _routed("inferenceComponentName")]
InferenceId: TypeAlias = Annotated[str, _routed("inferenceId")]
PrefixAwareId: TypeAlias = Annotated[str, _routed("prefixAwareId")]
SessionId: TypeAlias = Annotated[str, _routed("sessionId")]
TargetContainerHostname: TypeAlias = Annotated[str, _routed("targetContainerHostname")]
TargetModel: TypeAlias = Annotated[str, _routed("targetModel")]
TargetVariant: TypeAlias = Annotated[str, _routed("targetVariant")]
Variants: TypeAlias = Annotated[
    list[Annotated[str, AfterValidator(_variant)]],
    Field(json_schema_extra={"minItems": 1, "uniqueItems": True}),
    AfterValidator(_variants),
]

_AUTO_TEXT = Annotated[str, Field(pattern=rf"^(?:{AUTO}|\s*[0-9]+\s*)$|\{{\{{")]
_WARM_UP_TEXT = Annotated[str, Field(pattern=r"^(?:true|false|\s*[0-9]+\.?[0-9]*\s*)$|\{\{")]

Concurrency: TypeAlias = Annotated[int | str, PlainValidator(_cap, json_schema_input_type=Count | _AUTO_TEXT)]
"""A number, or `auto`."""
WarmUp: TypeAlias = Annotated[
    float | bool, PlainValidator(_patience, json_schema_input_type=bool | NotNegative | _WARM_UP_TEXT)
]
"""Seconds, or whether the default of them counts."""
Transport: TypeAlias = Annotated[
    str, AfterValidator(_transport), Field(json_schema_extra={"pattern": r"^(?:sagemaker|openai)$|\{\{"})
]
RoleArn: TypeAlias = Annotated[str, AfterValidator(_role)]
ExternalId: TypeAlias = Annotated[str, AfterValidator(_external_id)]
Bucket: TypeAlias = Annotated[NotEmpty, AfterValidator(_bucket)]
Prefix: TypeAlias = Annotated[NotEmpty, AfterValidator(_prefix)]

"""SageMaker Runtime as botocore's model of it describes it: members to HTTP, HTTP errors to codes and fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Operation, Request
from sagemaker_eval.sagemaker.hints import one_line

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel, Shape

_UNPRINTABLE = frozenset(map(chr, range(32))) - {"\t"} | {"\x7f"}

OPERATIONS = (Operation.INVOKE, Operation.STREAM, Operation.ASYNC)
"""The operations of this service. `Operation.OPENAI` is a path of the endpoint itself, which no model describes."""

MODELLED_FIELDS = {"OriginalStatusCode": int, "OriginalMessage": str, "LogStreamArn": str, "ErrorCode": str}
"""What the error shapes of the operations have besides a message, and the types of it: botocore checks none."""


@dataclass(frozen=True, slots=True)
class ServiceError:
    """An HTTP error as botocore parses it: `code` is a status in digits where the answer carries no error code.

    `fields` holds the modelled members by their names, `Message` among them: None where the answer says null.
    """

    code: str
    status: int
    fields: Mapping[str, Any]
    request_id: str | None = None


@cache
def _service() -> ServiceModel:
    from botocore.loaders import create_loader
    from botocore.model import ServiceModel

    return ServiceModel(create_loader().load_service_model("sagemaker-runtime", "service-2"), "sagemaker-runtime")


@cache
def operation_model(operation: Operation) -> OperationModel:
    """The model of one of `OPERATIONS` that comes with the installed botocore."""
    return _service().operation_model(operation.value)


@cache
def input_members(operation: Operation) -> Mapping[str, Shape]:
    """The members of a request by their names."""
    shape = operation_model(operation).input_shape
    assert shape is not None
    members: Mapping[str, Shape] = shape.members
    return members


def serialize(request: Request) -> tuple[str, dict[str, str]]:
    """The path and the headers that the members of a request become; its body is sent as it is.

    Empty `content_type` and `accept` are left out. Raises `EndpointFault` for members that the operation does not
    have or that cannot be headers.
    """
    from botocore.exceptions import ParamValidationError
    from botocore.serialize import create_serializer

    members = {"EndpointName": request.endpoint, "Body": b"", **_typed(request)}
    members |= {"ContentType": request.content_type} if request.content_type else {}
    members |= {"Accept": request.accept} if request.accept else {}
    model = operation_model(request.operation)
    try:
        parts = create_serializer("rest-json").serialize_to_request(members, model)
    except ParamValidationError as error:
        raise _unusable(f"the request is not valid: {one_line(str(error))}") from error
    headers = {name: str(value) for name, value in parts["headers"].items()}
    for name, value in headers.items():
        if not _UNPRINTABLE.isdisjoint(value):
            raise _unusable(f"a line break or control character cannot be sent in `{name}`: {value!r}")
    return parts["url_path"], headers


def _typed(request: Request) -> dict[str, str | int]:
    shapes = input_members(request.operation)
    values: dict[str, str | int] = dict(request.routing)
    for name, value in request.routing:
        if name in shapes and shapes[name].type_name == "integer":
            try:
                values[name] = int(value)
            except ValueError as error:
                raise _unusable(f"`{name}` is no whole number: {value!r}") from error
    return values


def _unusable(message: str) -> EndpointFault:
    return EndpointFault(message, code="ParamValidation", hint="correct the settings of this provider")


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> ServiceError:
    """The error in an HTTP answer of 300 or above. Never raises: what botocore cannot parse keeps its status."""
    lowered = {name.lower(): value for name, value in headers.items()}
    request_id = lowered.get("x-amzn-requestid") or lowered.get("x-amz-request-id")
    try:
        code, fields = _parse(status, lowered, body)
    except Exception:  # any body can come back from a proxy, and botocore expects an object with string members
        code, fields = "", {"Message": body.decode("utf-8", "replace")}
    return ServiceError(code or str(status), status, fields, request_id)


def _parse(status: int, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
    from botocore.parsers import create_parser

    parser = create_parser("rest-json")
    response = {"status_code": status, "headers": headers, "body": body, "context": {}}
    parsed = parser.parse(response, _output_shape())
    code = str(parsed["Error"].get("Code") or "")
    message = parsed["Error"].get("Message")
    fields = {"Message": message if message is None else str(message)}
    shape = _error_shapes().get(code)
    if shape is not None:
        modelled = parser.parse(response, shape)
        fields |= {
            name: modelled[name] for name, kind in MODELLED_FIELDS.items() if isinstance(modelled.get(name), kind)
        }
    return code, fields


@cache
def _error_shapes() -> Mapping[str, Shape]:
    return {shape.name: shape for one in OPERATIONS for shape in operation_model(one).error_shapes}


def _output_shape() -> Shape:
    shape = operation_model(Operation.INVOKE).output_shape  # any will do: it says nothing about errors
    assert shape is not None
    return shape

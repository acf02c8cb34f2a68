"""SageMaker's control plane, as far as it tells of endpoints: Describe and List calls, read only.

An endpoint, its configuration and, where it has one variant, its model share a name. Every endpoint that the script
does not call missing exists, as for the runtime; lists hold those that it names without wildcards. A model or component
is known once its endpoint is, which is from its first description on where only a glob fits it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox import descriptions
from sagemaker_eval.sandbox.deployments import Deployment
from sagemaker_eval.sandbox.descriptions import Subject
from sagemaker_eval.sandbox.endpoints import DeploymentScript, Endpoints
from sagemaker_eval.sandbox.json_service import Asked, JsonService, invalid, not_authorized, page
from sagemaker_eval.sandbox.replies import Refusal, Reply
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck

TARGET = "SageMaker"
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_LONGEST_NAME = 63
_SORTED_BY = ("Name", "CreationTime", "Status")
_TIMES = ("CreationTime", "LastModifiedTime")


class ControlPlane:
    """Answers by a script. `clock` gives seconds; deployments that take time count from now on.

    Without `signatures` every caller is believed.
    """

    def __init__(
        self, script: DeploymentScript, clock: Callable[[], float], signatures: SignatureCheck | None = None
    ) -> None:
        self._endpoints = Endpoints(script)
        self._clock = clock
        self._opened = clock()
        operations = {
            "DescribeEndpoint": self._describe_endpoint,
            "DescribeEndpointConfig": self._describe_config,
            "DescribeModel": self._describe_model,
            "DescribeInferenceComponent": self._describe_component,
            "ListInferenceComponents": self._list_components,
            "ListEndpoints": self._list_endpoints,
            "ListTags": self._list_tags,
        }
        self._service = JsonService(TARGET, operations, signatures)

    def reply(self, incoming: Incoming) -> Reply | None:
        """The reply to a call of the control plane; None for any other request."""
        return self._service.reply(incoming)

    def _describe_endpoint(self, asked: Asked) -> Json:
        name = _name(asked, "EndpointName")
        return descriptions.endpoint(self._found(asked, name, "endpoint", "endpoint"))

    def _describe_config(self, asked: Asked) -> Json:
        name = _name(asked, "EndpointConfigName")
        return descriptions.endpoint_config(self._found(asked, name, "endpoint-config", "endpoint configuration"))

    def _describe_model(self, asked: Asked) -> Json:
        name = _name(asked, "ModelName")
        subject = self._owner(asked, lambda each: name in each.models())
        if subject is None:
            raise _not_found("model", descriptions.arn(asked.region, "model", name))
        self._allow(asked, subject.deployment, subject.arn("model", name))
        return descriptions.model(subject, name)

    def _describe_component(self, asked: Asked) -> Json:
        name = _name(asked, "InferenceComponentName")
        subject = self._owner(asked, lambda each: name in each.deployment.components)
        if subject is None:
            raise _not_found("inference component", descriptions.arn(asked.region, "inference-component", name))
        self._allow(asked, subject.deployment, subject.arn("inference-component", name))
        return descriptions.component(subject, name)

    def _list_components(self, asked: Asked) -> Json:
        endpoint = asked.members.get("EndpointNameEquals")
        subjects = [self._found(asked, endpoint, "endpoint", "endpoint")] if endpoint else self._all(asked)
        if not endpoint:
            self._allow_everywhere(asked)
        rows = [descriptions.listed_component(each, name) for each in subjects for name in each.deployment.components]
        if variant := asked.members.get("VariantNameEquals"):
            rows = [row for row in rows if row["VariantName"] == variant]
        return _listing("InferenceComponents", "InferenceComponent", rows, asked.members)

    def _list_endpoints(self, asked: Asked) -> Json:
        self._allow_everywhere(asked)
        listed = self._endpoints.listed()
        rows = [descriptions.listed_endpoint(each) for each in self._all(asked) if each.name in listed]
        return _listing("Endpoints", "Endpoint", rows, asked.members)

    def _list_tags(self, asked: Asked) -> Json:
        resource = asked.text("ResourceArn")
        kind, _, name = resource.rpartition(":")[2].partition("/")
        if kind in {"endpoint", "endpoint-config"}:
            self._subject(asked, name)
        subject = self._owner(asked, lambda each: resource in each.resources())
        if subject is None:
            raise invalid(f"The resource {resource} does not exist.")
        self._allow(asked, subject.deployment, resource)
        tags = [{"Key": key, "Value": value} for key, value in sorted(subject.deployment.tags.items())]
        shown, token = page(tags, asked.members, default=50)
        return {"Tags": list(shown), **token}

    def _found(self, asked: Asked, name: str, kind: str, words: str) -> Subject:
        subject = self._subject(asked, name)
        arn = descriptions.arn(asked.region, kind, name)
        if subject is None:
            raise _not_found(words, arn)
        self._allow(asked, subject.deployment, arn)
        return subject

    def _subject(self, asked: Asked, name: str) -> Subject | None:
        deployment = self._endpoints.find(name) if _NAME.fullmatch(name) else None
        if deployment is None:
            return None
        return Subject(name, deployment, deployment.status_after(self._clock() - self._opened), asked.region)

    def _all(self, asked: Asked) -> list[Subject]:
        subjects = (self._subject(asked, name) for name in self._endpoints.known())
        return [subject for subject in subjects if subject is not None]

    def _owner(self, asked: Asked, owns: Callable[[Subject], bool]) -> Subject | None:
        return next(filter(owns, self._all(asked)), None)

    def _allow(self, asked: Asked, deployment: Deployment, resource: str) -> None:
        if asked.operation in deployment.denied:
            raise not_authorized(f"sagemaker:{asked.operation}", resource)

    def _allow_everywhere(self, asked: Asked) -> None:
        if asked.operation in self._endpoints.denied_anywhere():
            raise not_authorized(f"sagemaker:{asked.operation}", "*")


def _name(asked: Asked, member: str) -> str:
    name = asked.text(member)
    if len(name) <= _LONGEST_NAME and _NAME.fullmatch(name):
        return name
    if len(name) > _LONGEST_NAME:
        constraint = f"Member must have length less than or equal to {_LONGEST_NAME}"
    else:
        constraint = r"Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    where = member[0].lower() + member[1:]
    raise invalid(
        f"1 validation error detected: Value '{name}' at '{where}' failed to satisfy constraint: {constraint}"
    )


def _not_found(what: str, arn: str) -> Refusal:
    return invalid(f'Could not find {what} "{arn}".')


def _listing(member: str, noun: str, rows: list[dict[str, Any]], members: Mapping[str, Any]) -> Json:
    """A page of the rows that the request's filters leave, sorted as it asks: newest first unless it says otherwise."""
    kept = [row for row in rows if _fits(row, noun, members)]
    key = members.get("SortBy", "CreationTime")
    if key not in _SORTED_BY:
        raise invalid(f"SortBy must be one of {', '.join(_SORTED_BY)}.")
    column = key if key in _TIMES else f"{noun}{key}"
    kept.sort(key=lambda row: row[column], reverse=members.get("SortOrder", "Descending") == "Descending")
    shown, token = page(kept, members)
    return {member: list(shown), **token}


def _fits(row: dict[str, Any], noun: str, members: Mapping[str, Any]) -> bool:
    part, status = members.get("NameContains"), members.get("StatusEquals")
    if part and part.lower() not in row[f"{noun}Name"].lower():
        return False
    if status and status != row[f"{noun}Status"]:
        return False
    return all(
        members.get(f"{time}After", 0) <= row[time] and row[time] <= members.get(f"{time}Before", row[time])
        for time in _TIMES
    )

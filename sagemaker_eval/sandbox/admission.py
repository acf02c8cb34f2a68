"""What SageMaker Runtime refuses before any container is asked: names and kinds of calls that do not fit."""

from __future__ import annotations

import re

from sagemaker_eval.model import Operation
from sagemaker_eval.sandbox.deployments import Deployment
from sagemaker_eval.sandbox.invocations import Invocation
from sagemaker_eval.sandbox.replies import Refusal, endpoint_not_found, validation_error
from sagemaker_eval.sandbox.rules import Rule
from sagemaker_eval.sandbox.variants import check_known

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_LONGEST_NAME = 63
_SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"})


def check_name(endpoint: str) -> None:
    """Raises `Refusal` for what cannot be an endpoint's name."""
    if len(endpoint) > _LONGEST_NAME:
        constraint = f"Member must have length less than or equal to {_LONGEST_NAME}"
    elif not _NAME.fullmatch(endpoint):
        constraint = r"Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
    else:
        return
    raise _refused(
        f"1 validation error detected: Value '{endpoint}' at 'endpointName' failed to satisfy constraint: {constraint}"
    )


def check_admitted(invocation: Invocation, rule: Rule, seconds: float) -> None:
    """Raises `Refusal` where the endpoint cannot be asked like this, so many seconds after the sandbox was opened."""
    check_known(rule, invocation.endpoint, invocation.variant)
    if invocation.operation is Operation.OPENAI and invocation.header("inference-component"):
        raise _refused("The inference component must be named in the path of the request, not in a header.")
    if rule.deployment is None:
        return
    if rule.deployment.status_after(seconds) not in _SERVING:
        raise Refusal(endpoint_not_found(invocation.endpoint))
    _check_kind(invocation, rule.deployment)
    _check_component(invocation, rule.deployment)
    if rule.cold_start is None:
        _check_capacity(invocation, rule.deployment)


def _check_kind(invocation: Invocation, deployment: Deployment) -> None:
    if deployment.asynchronous is not None and invocation.operation is not Operation.ASYNC:
        raise _refused(
            f"Endpoint {invocation.endpoint} is for asynchronous inference. Use InvokeEndpointAsync to invoke it."
        )


def _check_component(invocation: Invocation, deployment: Deployment) -> None:
    wanted, endpoint = invocation.component, invocation.endpoint
    if not deployment.components:
        if wanted is not None:
            raise _refused(
                "Inference Component Name header is not allowed for endpoints to which you don't plan to deploy "
                "inference components. Please remove inference component name from header and try again."
            )
    elif wanted is None:
        raise _refused(
            "Inference Component Name header is required for endpoints to which you plan to deploy inference "
            "components. Please include Inference Component Name header or consider using SageMaker models."
        )
    elif wanted not in deployment.components:
        raise _refused(f"Inference component {wanted} of endpoint {endpoint} not found.")


def _check_capacity(invocation: Invocation, deployment: Deployment) -> None:
    """An endpoint without instances waits for its scaling; queued and serverless requests are what wakes it."""
    if deployment.serverless or deployment.asynchronous or any(each.instances for each in deployment.variants):
        return
    asleep = (
        f"Inference component {invocation.component}" if invocation.component else f"Endpoint {invocation.endpoint}"
    )
    raise _refused(f"{asleep} has no capacity to process this request. Scaling may be in progress, try again later.")


def _refused(message: str) -> Refusal:
    return Refusal(validation_error(message))

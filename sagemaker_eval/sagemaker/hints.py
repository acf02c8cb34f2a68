"""The wording of what to do next, where it takes more than a phrase."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

RUN_AGAIN = "start the run again (answers already given come from the cache)"

BATCH_INFERENCE_FAILED = (
    "for `Batch inference failed`: add a `delay` of at least 500 ms; check that `modelType` fits the model "
    "(`jumpstart` for Llama, `huggingface` for Mistral); set `contentType` and `acceptType` to `application/json`; "
    "check in the SageMaker console that the endpoint is active"
)

THREE_WAYS_OUT = (
    "SageMaker gives a model 60 s for an answer, however long the caller waits: ask for fewer tokens (`maxTokens`), "
    "or set `stream: true` (response streaming: 8 minutes) or `async:` (asynchronous inference: 1 hour)"
)

STREAM_TOO_LONG = (
    "ask for fewer tokens (`maxTokens`), or set `async:` in place of `stream` (asynchronous inference: 1 hour)"
)

ACCEPT_EULA = (
    "read the licence of the model, and if you accept it, say so in the provider's config with "
    "`customAttributes: accept_eula=true`, or deploy the model with the licence accepted"
)

ASYNC_ONLY = (
    "this endpoint takes asynchronous invocations only: set `async: true`, or `async:` with a `bucket` for requests "
    "above 128,000 bytes"
)

SCALED_TO_ZERO = (
    "it is scaled to zero, and scaling out takes about 5 minutes where a policy on `NoCapacityInvocationFailures` does "
    "it: check that policy, or scale it out by hand, or allow more time (`warmUp`)"
)

STILL_LOADING = "it is still starting or loading its model: wait until it is ready, or allow more time (`warmUp`)"

_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
}
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
_ENDPOINT_ARN = re.compile(r"arn:[\w-]+:sagemaker:[^\s\"'`]+[^\s\"'`.,;:]")


def one_line(text: str, limit: int = 400) -> str:
    """`text` with its white space collapsed, cut to `limit` characters and without a final period."""
    line = " ".join(text[: 8 * limit].split())
    if len(line) > limit:
        return line[: limit - 1] + "…"
    return line.removesuffix(".")


def endpoint_arn(endpoint: str, region: str, account: str | None) -> str:
    """The endpoint's ARN (which is in lower case), `*` standing for an account that is not known."""
    return f"arn:{_partition(region)}:sagemaker:{region}:{account or '*'}:endpoint/{endpoint.lower()}"


def _partition(region: str) -> str:
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def missing_permission(message: str, endpoint: str, region: str, account: str | None) -> str:
    """The IAM statement that the caller lacks, for the resource that the refusal names, else for the endpoint."""
    refused = _ENDPOINT_ARN.search(message)
    resource = refused.group() if refused else endpoint_arn(endpoint, region, account)
    statement = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": resource}
    return f"the IAM policy of the caller must include {json.dumps(statement)}"


def endpoint_not_found(region: str) -> str:
    """The check list for an endpoint that does not exist where it was looked for."""
    return (
        "check that the name matches exactly, that the endpoint is deployed and in service, and that "
        f"{region} is its region: `aws sagemaker list-endpoints --region {region}`"
    )


def component_required(endpoint: str, region: str) -> str:
    """How to find the inference components of an endpoint that serves nothing but components."""
    return (
        "the endpoint hosts inference components: set `inferenceComponentName` to one of "
        f"`aws sagemaker list-inference-components --endpoint-name-equals {endpoint} --region {region}`"
    )


def container_log(log_stream_arn: str | None, endpoint: str, region: str, component: str | None = None) -> str:
    """Where the container wrote what happened: its log stream, else the log group that SageMaker gives the endpoint.

    An inference component has a log group of its own. A link to the console is added where there is one.
    """
    parts = (log_stream_arn or "").split(":")
    if len(parts) >= 7 and parts[5] == "log-group":
        group, stream = parts[6], ":".join(parts[8:]) if parts[7:8] == ["log-stream"] else ""
        within = f", stream `{stream}`" if stream else ""
        return f"the container's log: group `{group}`{within}{_link(parts[3] or region, group, stream)}"
    if log_stream_arn:
        return f"the container's log: `{log_stream_arn}`"
    group = f"/aws/sagemaker/InferenceComponents/{component}" if component else f"/aws/sagemaker/Endpoints/{endpoint}"
    return f"the container's log: group `{group}`{_link(region, group)}"


def _link(region: str, group: str, stream: str = "") -> str:
    """` (URL)` of a log in the CloudWatch console; nothing for partitions without a public console."""
    console = _CONSOLES.get(_partition(region)) if region else None
    if console is None:
        return ""
    events = f"/log-events/{_in_fragment(stream)}" if stream else ""
    place = f"logsV2:log-groups/log-group/{_in_fragment(group)}{events}"
    return f" (https://{region}.{console}/cloudwatch/home?region={region}#{place})"


def _in_fragment(name: str) -> str:
    """A name as the console writes it behind `#`: percent-encoded twice, and `$` for the percent signs then."""
    return quote(quote(name, safe=""), safe="").replace("%", "$")

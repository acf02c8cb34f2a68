"""The wording of what to do next, where it takes more than a phrase."""

from __future__ import annotations

import json
import re

RUN_AGAIN = "start the run again (answers already given come from the cache)"

BATCH_INFERENCE_FAILED = (
    "for `Batch inference failed`: add a `delay` of at least 500 ms; check that `modelType` fits the model "
    "(`jumpstart` for Llama, `huggingface` for Mistral); set `contentType` and `acceptType` to `application/json`; "
    "check in the SageMaker console that the endpoint is active"
)

THREE_WAYS_OUT = (
    "SageMaker gives a model 60 s for an answer, however long the caller waits: ask for fewer tokens (`maxTokens`), "
    "or invoke the model with response streaming (8 minutes) or asynchronous inference (1 hour)"
)

ACCEPT_EULA = (
    "read the licence of the model, and if you accept it, deploy the model with it accepted or send "
    "`accept_eula=true` as the custom attributes of each call"
)

_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
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
    partition = next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")
    return f"arn:{partition}:sagemaker:{region}:{account or '*'}:endpoint/{endpoint.lower()}"


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
        "the endpoint hosts inference components, and each call has to name one of "
        f"`aws sagemaker list-inference-components --endpoint-name-equals {endpoint} --region {region}`"
    )


def container_log(log_stream_arn: str | None, endpoint: str) -> str:
    """Where the container wrote what happened: its log stream, else the log group that SageMaker gives the endpoint."""
    parts = (log_stream_arn or "").split(":")
    if len(parts) >= 9 and parts[5] == "log-group" and parts[7] == "log-stream":
        return f"the container's log: group `{parts[6]}`, stream `{':'.join(parts[8:])}`"
    if log_stream_arn:
        return f"the container's log: `{log_stream_arn}`"
    return f"the container's log: group `/aws/sagemaker/Endpoints/{endpoint}`"

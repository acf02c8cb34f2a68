"""What SageMaker's control plane tells of an endpoint, in the shapes of its service model. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.deployments import AsyncDeployment, Deployment, Status, Variant
from sagemaker_eval.sandbox.replies import ACCOUNT
from sagemaker_eval.sandbox.s3_locations import default_bucket

_SHARED_STATUSES = frozenset({"Creating", "Deleting", "Failed", "Updating"})
"""The statuses of an endpoint that its components have too; they are in service otherwise."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An endpoint in a region, as it is now."""

    name: str
    deployment: Deployment
    status: Status
    region: str

    def arn(self, kind: str = "endpoint", name: str | None = None) -> str:
        return arn(self.region, kind, name or self.name)

    def model_of(self, variant: Variant) -> str:
        """The model behind a variant of an endpoint without components."""
        return self.name if len(self.deployment.variants) == 1 else f"{self.name}-{variant.name}"

    def models(self) -> tuple[str, ...]:
        """The models behind the endpoint; each component has one of its own name."""
        return self.deployment.components or tuple(self.model_of(variant) for variant in self.deployment.variants)

    def resources(self) -> frozenset[str]:
        """The ARNs of all that belongs to the endpoint."""
        components = (self.arn("inference-component", name) for name in self.deployment.components)
        models = (self.arn("model", name) for name in self.models())
        return frozenset({self.arn(), self.arn("endpoint-config"), *components, *models})

    def times(self) -> dict[str, Json]:
        """An update in place is not told apart from the creation."""
        return {"CreationTime": self.deployment.last_modified, "LastModifiedTime": self.deployment.last_modified}


def arn(region: str, kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}"


def listed_endpoint(subject: Subject) -> dict[str, Any]:
    """A row of ListEndpoints."""
    return {
        "EndpointName": subject.name,
        "EndpointArn": subject.arn(),
        "EndpointStatus": subject.status,
        **subject.times(),
    }


def endpoint(subject: Subject) -> Json:
    """The answer of DescribeEndpoint."""
    deployment = subject.deployment
    document = {**listed_endpoint(subject), "EndpointConfigName": subject.name}
    if subject.status not in {"Creating", "Failed"}:
        document["ProductionVariants"] = [_running(deployment, variant) for variant in deployment.variants]
    if deployment.failure_reason and subject.status != "InService":
        document["FailureReason"] = deployment.failure_reason
    if deployment.data_capture:
        started = {"CaptureStatus": "Started", "CurrentSamplingPercentage": 100}
        document["DataCaptureConfig"] = {**started, **_data_capture(subject)}
    if deployment.asynchronous:
        document["AsyncInferenceConfig"] = _asynchronous(subject, deployment.asynchronous)
    return document


def _running(deployment: Deployment, variant: Variant) -> dict[str, Any]:
    document: dict[str, Any] = {
        "VariantName": variant.name,
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.weight,
    }
    if deployment.image and not deployment.components:
        document["DeployedImages"] = [
            {
                "SpecifiedImage": deployment.image,
                "ResolvedImage": deployment.image,
                "ResolutionTime": deployment.last_modified,
            }
        ]
    if deployment.serverless:
        serverless = _serverless(deployment)
        return {**document, "CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
    if variant.instances == 0:
        document["ManagedInstanceScaling"] = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 1}
    return {**document, "CurrentInstanceCount": variant.instances, "DesiredInstanceCount": variant.instances}


def endpoint_config(subject: Subject) -> Json:
    """The answer of DescribeEndpointConfig."""
    deployment = subject.deployment
    document: dict[str, Any] = {
        "EndpointConfigName": subject.name,
        "EndpointConfigArn": subject.arn("endpoint-config"),
        "ProductionVariants": [_configured(subject, variant) for variant in deployment.variants],
        "CreationTime": deployment.last_modified,
    }
    if deployment.data_capture:
        options = [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
        capture = {**_data_capture(subject), "InitialSamplingPercentage": 100, "CaptureOptions": options}
        document["DataCaptureConfig"] = capture
    if deployment.asynchronous:
        document["AsyncInferenceConfig"] = _asynchronous(subject, deployment.asynchronous)
    return document


def _configured(subject: Subject, variant: Variant) -> dict[str, Any]:
    """A variant in the configuration; without a ModelName it is there for inference components."""
    deployment = subject.deployment
    document: dict[str, Any] = {"VariantName": variant.name, "InitialVariantWeight": variant.weight}
    if not deployment.components:
        document["ModelName"] = subject.model_of(variant)
    if deployment.serverless:
        return {**document, "ServerlessConfig": _serverless(deployment)}
    if variant.instances == 0:
        document["ManagedInstanceScaling"] = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 1}
    return {**document, "InstanceType": variant.instance_type, "InitialInstanceCount": max(1, variant.instances)}


def _serverless(deployment: Deployment) -> Json:
    size = deployment.serverless
    return {"MemorySizeInMB": size.memory, "MaxConcurrency": size.max_concurrency} if size else {}


def _data_capture(subject: Subject) -> dict[str, Any]:
    destination = f"s3://{default_bucket(subject.region)}/data-capture/{subject.name}"
    return {"EnableCapture": True, "DestinationS3Uri": destination}


def _asynchronous(subject: Subject, asynchronous: AsyncDeployment) -> Json:
    output = {
        "S3OutputPath": asynchronous.output_path(subject.name, subject.region),
        "S3FailurePath": asynchronous.failure_path(subject.name, subject.region),
    }
    if asynchronous.max_concurrent is None:
        return {"OutputConfig": output}
    client = {"MaxConcurrentInvocationsPerInstance": asynchronous.max_concurrent}
    return {"OutputConfig": output, "ClientConfig": client}


def model(subject: Subject, name: str) -> Json:
    """The answer of DescribeModel."""
    container: dict[str, Any] = {"Mode": "SingleModel", "Environment": dict(subject.deployment.environment)}
    if subject.deployment.image:
        container["Image"] = subject.deployment.image
    return {
        "ModelName": name,
        "ModelArn": subject.arn("model", name),
        "ExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/sandbox-execution",
        "PrimaryContainer": container,
        "CreationTime": subject.deployment.last_modified,
        "EnableNetworkIsolation": False,
    }


def listed_component(subject: Subject, name: str) -> dict[str, Any]:
    """A row of ListInferenceComponents. All components run on the first variant."""
    return {
        "InferenceComponentName": name,
        "InferenceComponentArn": subject.arn("inference-component", name),
        "InferenceComponentStatus": subject.status if subject.status in _SHARED_STATUSES else "InService",
        "EndpointName": subject.name,
        "EndpointArn": subject.arn(),
        "VariantName": subject.deployment.variants[0].name,
        **subject.times(),
    }


def component(subject: Subject, name: str) -> Json:
    """The answer of DescribeInferenceComponent."""
    copies = min(1, subject.deployment.variants[0].instances)
    specification: dict[str, Any] = {
        "ModelName": name,
        "ComputeResourceRequirements": {"NumberOfAcceleratorDevicesRequired": 1, "MinMemoryRequiredInMb": 1024},
    }
    if image := subject.deployment.image:
        deployed = {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": subject.deployment.last_modified}
        specification["Container"] = {
            "DeployedImage": deployed,
            "Environment": dict(subject.deployment.environment),
        }
    document = listed_component(subject, name)
    if subject.deployment.failure_reason and document["InferenceComponentStatus"] == "Failed":
        document["FailureReason"] = subject.deployment.failure_reason
    runtime = {"DesiredCopyCount": copies, "CurrentCopyCount": copies}
    return {**document, "Specification": specification, "RuntimeConfig": runtime}

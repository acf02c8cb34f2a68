from __future__ import annotations

import pytest

from sagemaker_eval.config.explaining import check
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place
from sagemaker_eval.sandbox.deployments import (
    DEPLOYED_AT,
    AsyncDeployment,
    Deployment,
    DeploymentEntry,
    Serverless,
    Variant,
)
from sagemaker_eval.sandbox.s3_locations import split_location


def entry(**members: Json) -> DeploymentEntry:
    return check(DeploymentEntry, members, Place("script.yaml"))


def deployed(**members: Json) -> Deployment:
    return entry(**members).deployment()


def refusal(**members: Json) -> str:
    with pytest.raises(ConfigError) as caught:
        entry(**members)
    return str(caught.value)


def test_an_empty_entry_is_one_instance_in_service() -> None:
    assert deployed() == Deployment()
    assert deployed().variants == (Variant("AllTraffic", 1.0, "ml.g5.xlarge", 1),)
    assert (deployed().status, deployed().last_modified) == ("InService", DEPLOYED_AT)


def test_a_number_is_the_weight_of_a_variant_which_has_the_instances_of_the_deployment() -> None:
    both = deployed(instances=3, variants={"blue": 0.7, "green": {"weight": 0.3, "instanceType": "ml.p4d.24xlarge"}})

    assert both.variants == (Variant("blue", 0.7, "ml.g5.xlarge", 3), Variant("green", 0.3, "ml.p4d.24xlarge", 3))


def test_the_variants_of_the_rule_replace_those_of_the_deployment_and_keep_their_instances() -> None:
    ours = entry(instances=2, variants={"green": {"weight": 9, "instances": 4}})

    assert ours.deployment({"green": 0.3, "red": 0.7}).variants == (
        Variant("green", 0.3, instances=4),
        Variant("red", 0.7, instances=4),
    )


def test_true_stands_for_the_defaults_of_a_kind_and_false_for_none() -> None:
    assert deployed(**{"async": True}).asynchronous == AsyncDeployment()
    assert deployed(**{"async": False}).asynchronous is None
    assert deployed(serverless=True).serverless == Serverless()
    assert deployed(serverless={"memory": 6144, "maxConcurrency": 200}).serverless == Serverless(6144, 200)


def test_outputs_of_an_asynchronous_endpoint_go_where_it_says_or_to_the_bucket_of_the_account() -> None:
    own = AsyncDeployment("s3://mine/out", "s3://mine/failed")
    bucket = "s3://sagemaker-us-east-1-123456789012"

    assert deployed(**{"async": {"output": "s3://mine/out/", "failures": "s3://mine/failed"}}).asynchronous == own
    assert own.output_path("e", "us-east-1") == "s3://mine/out"
    assert AsyncDeployment().output_path("e", "us-east-1") == f"{bucket}/async-endpoint-outputs/e"
    assert AsyncDeployment().failure_path("e", "us-east-1") == f"{bucket}/async-endpoint-failures/e"


def test_all_instances_work_on_asynchronous_requests() -> None:
    assert deployed(instances=3, **{"async": {"maxConcurrent": 2}}).async_workers == 6
    assert deployed(instances=0, **{"async": {"maxConcurrent": 2}}).async_workers == 2
    assert deployed(instances=3, **{"async": True}).async_workers is None


@pytest.mark.parametrize("moment", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05", "2026-01-02T04:04:05+01:00"])
def test_times_are_utc_unless_they_say_otherwise(moment: str) -> None:
    assert deployed(lastModified=moment).last_modified == 1767323045.0


def test_a_status_gives_way_to_being_in_service() -> None:
    updating = deployed(status="Creating", inServiceAfter=30)

    assert [updating.status_after(seconds) for seconds in (0, 29.9, 30)] == ["Creating", "Creating", "InService"]
    assert deployed(status="Failed").status_after(1e9) == "Failed"


@pytest.mark.parametrize(
    ("location", "parts"),
    [
        ("s3://bucket/a/b.json", ("bucket", "a/b.json")),
        ("s3://bucket", ("bucket", "")),
        ("https://bucket/a", None),
        ("s3:///a", None),
    ],
)
def test_a_location_in_s3_is_a_bucket_and_a_key(location: str, parts: tuple[str, str] | None) -> None:
    assert split_location(location) == parts


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"status": "Up"}, "`status`"),
        ({"instanceType": "g5.xlarge"}, "`instanceType` must be an instance type"),
        ({"denied": ["DescribeEndpont"]}, "did you mean `DescribeEndpoint`?"),
        ({"serverless": {"memory": 1000}}, "`memory` must be a multiple of 1024 MB"),
        ({"serverless": True, "async": True}, "only one of `serverless`, `async` and `components`"),
        ({"async": {"output": "bucket/out"}}, "`output` must be a location in S3"),
        ({"lastModified": "soon"}, "`lastModified` must be a time"),
        ({"variants": {"not a name": 1}}, "must be an endpoint's name"),
        ({"imgae": "x"}, "unknown key `imgae` in `deployment`"),
    ],
)
def test_what_no_deployment_can_be_is_refused(members: dict[str, Json], words: str) -> None:
    assert words in refusal(**members)

from __future__ import annotations

import pytest

from sagemaker_eval.errors import SetupError
from sagemaker_eval.sagemaker.regions import known_regions, nearest_region, resolve_region


@pytest.mark.parametrize(
    ("configured", "environ", "profile", "region"),
    [
        ("eu-west-1", {"AWS_REGION": "eu-west-2"}, "eu-west-3", "eu-west-1"),
        (None, {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "us-west-1"}, "eu-west-3", "eu-west-2"),
        (None, {"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-west-1"}, "eu-west-3", "us-west-1"),
        (None, {}, "eu-west-3", "eu-west-3"),
    ],
)
def test_the_first_source_that_names_a_region_wins(
    configured: str | None, environ: dict[str, str], profile: str, region: str
) -> None:
    notices: list[str] = []
    assert resolve_region(configured, environ, profile, notices.append) == region
    assert not notices


def test_without_any_region_the_fallback_is_announced() -> None:
    notices: list[str] = []
    assert resolve_region(None, {}, None, notices.append) == "us-east-1"
    assert notices == ["no AWS region is configured: using us-east-1 (set `region`, or AWS_REGION)"]


def test_what_cannot_be_a_region_is_refused_with_its_source() -> None:
    with pytest.raises(SetupError) as caught:
        resolve_region(None, {"AWS_REGION": "us_east_1"}, None, lambda message: None)
    assert str(caught.value) == "`us_east_1` is not an AWS region (it comes from AWS_REGION)"
    assert caught.value.hint == "did you mean `us-east-1`?"


def test_every_known_region_has_the_form_of_one() -> None:
    for region in known_regions():
        assert resolve_region(region, {}, None, lambda message: None) == region


def test_a_misspelled_region_has_a_nearest_one_and_a_right_one_has_none() -> None:
    assert nearest_region("us-esat-1") == "us-east-1"
    assert nearest_region("cn-north-1") is None

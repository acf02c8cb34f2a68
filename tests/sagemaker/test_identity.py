from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.iam.utils import generate_access_key_id_from_account_id

from sagemaker_eval.model import AwsSettings, StaticKeys
from sagemaker_eval.sagemaker.identity import account_of_arn, account_of_key, identity_of


@pytest.mark.parametrize(
    ("key_id", "account"), [("ASIAY34FZKBOKMUTVV7A", "609629065308"), ("ASIAQNZGKIQY56JQ7WML", "029608264753")]
)
def test_an_access_key_id_tells_its_account(key_id: str, account: str) -> None:
    assert account_of_key(key_id) == account


@given(st.integers(0, 999_999_999_999), st.sampled_from(["AKIA", "ASIA"]))
def test_every_account_is_read_back_from_its_keys(number: int, prefix: str) -> None:
    account = f"{number:012d}"
    assert account_of_key(generate_access_key_id_from_account_id(account, prefix)) == account


@pytest.mark.parametrize(
    "key_id",
    ["", "testing", "AKIAIOSFODNN7EXAMPLE", "AKIA0000000000000000", "AROAY34FZKBOKMUTVV7A", "AKIAY34FZKBOKMUTVV7A7"],
)
def test_ids_that_do_not_encode_an_account_tell_nothing(key_id: str) -> None:
    assert account_of_key(key_id) is None


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    for account in (account_of_key(text), account_of_arn(text)):
        assert account is None or (len(account) == 12 and account.isdigit())


def test_keys_of_the_configuration_come_first() -> None:
    settings = AwsSettings(keys=StaticKeys("ASIAY34FZKBOKMUTVV7A", "secret"))
    environ = {"AWS_ACCESS_KEY_ID": "ASIAQNZGKIQY56JQ7WML", "AWS_ACCOUNT_ID": "111111111111"}
    assert identity_of(settings, environ, "default", {"sso_account_id": "222222222222"}) == "account:609629065308"


def test_undecodable_keys_are_told_apart_by_a_hash_that_hides_them() -> None:
    one = identity_of(AwsSettings(keys=StaticKeys("testing", "x")), {}, "default", {})
    two = identity_of(AwsSettings(keys=StaticKeys("testing2", "x")), {}, "default", {})
    assert one != two
    assert one.startswith("key:") and "testing" not in one


@pytest.mark.parametrize(
    ("profile", "environ", "identity"),
    [
        ({}, {"AWS_ACCESS_KEY_ID": "testing", "AWS_ACCOUNT_ID": "111111111111"}, "account:111111111111"),
        ({}, {"AWS_ACCESS_KEY_ID": "ASIAY34FZKBOKMUTVV7A"}, "account:609629065308"),
        (
            {"role_arn": "arn:aws:iam::333333333333:role/x", "sso_account_id": "222222222222"},
            {},
            "account:333333333333",
        ),
        ({"sso_account_id": "222222222222"}, {}, "account:222222222222"),
        ({"aws_account_id": "444444444444", "aws_access_key_id": "testing"}, {}, "account:444444444444"),
        ({"aws_access_key_id": "ASIAY34FZKBOKMUTVV7A"}, {}, "account:609629065308"),
        ({}, {"AWS_ROLE_ARN": "arn:aws:iam::555555555555:role/ci"}, "account:555555555555"),
        ({}, {}, "profile:work"),
    ],
)
def test_the_account_is_sought_where_the_credentials_come_from(
    profile: dict[str, str], environ: dict[str, str], identity: str
) -> None:
    assert identity_of(AwsSettings(), environ, "work", profile) == identity


def test_a_profile_of_the_configuration_beats_the_environment() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "ASIAY34FZKBOKMUTVV7A", "AWS_ROLE_ARN": "arn:aws:iam::555555555555:role/ci"}
    assert identity_of(AwsSettings(profile="work"), environ, "work", {}) == "profile:work"


def test_a_role_to_assume_decides_whose_account_it_is() -> None:
    keys = StaticKeys("ASIAY34FZKBOKMUTVV7A", "secret")
    settings = AwsSettings(keys=keys, role_arn="arn:aws:iam::777777777777:role/eval")
    assert identity_of(settings, {}, "work", {"sso_account_id": "222222222222"}) == "account:777777777777"
    odd = AwsSettings(keys=keys, role_arn="eval")
    assert identity_of(odd, {}, "work", {}) == "role:eval"

"""What of a configuration and of an environment is a secret, and what is left alone."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from sagemaker_eval.config.masking import (
    is_credential,
    masked,
    secrets_in,
    secrets_of_environment,
    secrets_of_profiles,
)
from sagemaker_eval.model import Json

SECRET = "correct-horse-battery"
KEY = "4f9a1c7e-8b2d-4e60-aa31"


@pytest.mark.parametrize(
    "name",
    [
        "secretAccessKey", "accessKeyId", "AWS_ACCESS_KEY_ID", "sessionToken", "API_KEY", "apiKeys", "HF_TOKEN",
        "token", "x-api-key", "Authorization", "Cookie", "DB_PASSWORD", "dbPassword", "PGPASSWORD", "client-secret",
        "DB_PWD", "SECRET_KEY_BASE", "Ocp-Apim-Subscription-Key", "azureConnectionString", "PRIVATE_KEY",
        "X-Amz-Security-Token",
    ],
)  # fmt: skip
def test_names_of_credentials(name: str) -> None:
    assert is_credential(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "id", "region", "maxTokens", "max_token", "eos_token", "stopToken", "nextToken", "tokenizer", "PWD",
        "OLDPWD", "GOOGLE_APPLICATION_CREDENTIALS", "AWS_SHARED_CREDENTIALS_FILE", "PASSWORD_STORE_DIR", "secretArn",
        "secret_name", "AWS_WEB_IDENTITY_TOKEN_FILE", "TOKENIZERS_PARALLELISM",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "monkey",
    ],
)  # fmt: skip
def test_names_that_hold_none(name: str) -> None:
    assert not is_credential(name)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("API_TOKEN", SECRET, {SECRET}),
        ("API_TOKEN", "short", set()),
        ("PLAIN", SECRET, set()),
        ("SOME_KEY", KEY, {KEY}),
        ("SORT_KEY", "customer-name", set()),
        ("DB_PASSWORD", "password", set()),
        ("DB_PASSWORD", "/", set()),
        ("DATABASE_URL", f"postgres://admin:{SECRET}@db/main", {SECRET}),
        ("DATABASE_URL", "postgres://postgres:postgres@db/main", set()),
        ("PROXY", "http://user:p%40ss-word-9@proxy:3128", {"p%40ss-word-9", "p@ss-word-9"}),
        ("REPOSITORY", f"https://{KEY}@git.example.com/x", {KEY}),
        ("HOOK", f"https://example.com/hook?channel=general&sig={KEY}", {KEY}),
        ("AUTH_HEADER", "Bearer x", set()),
        ("PROXY_AUTHORIZATION", f"Bearer {SECRET}", {SECRET, f"Bearer {SECRET}"}),
        ("SERVICE_SECRET", '{"type": "account", "private_key": "correct-horse-battery"}', None),
        ("BROKEN", "http://[::1", set()),
    ],
)
def test_secrets_of_an_environment(name: str, value: str, found: set[str] | None) -> None:
    assert secrets_of_environment({name: value}) == (found if found is not None else {value, SECRET})


def test_the_password_of_basic_authentication_is_a_secret_of_its_own() -> None:
    header = f"Basic {base64.b64encode(f'someone:{SECRET}'.encode()).decode()}"

    assert SECRET in secrets_in({"providers": [{"config": {"headers": {"Authorization": header}}}]})


def test_each_line_of_a_private_key_is_a_secret() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEA\n-----END PRIVATE KEY-----"

    assert {"MIIEvQIBADANBgkqhkiG9w0", "BAQEFAASCBKcwggSjAgEA"} < secrets_of_environment({"PRIVATE_KEY": key})


def test_a_value_that_names_a_file_is_where_a_secret_is(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")

    assert secrets_of_environment({"DB_PASSWORD": str(file), "API_KEY": "file://keys/api.txt"}) == frozenset()


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"providers": [{"config": {"apiKey": SECRET, "profile": "shown-as-it-is"}}]}, {SECRET}),
        ({"providers": [{"config": {"apiKeys": [SECRET, 12345678, True]}}]}, {SECRET, "12345678"}),
        ({"providers": [{"config": {"apiKey": "{{env.API_KEY}}"}}]}, set()),
        ({"providers": [{"config": {"customAttributes": f"trace=1; api_key={SECRET}"}}]}, {SECRET}),
        ({"providers": [{"config": {"endpointUrl": f"https://u:{SECRET}@example.com"}}]}, {SECRET}),
        ({"defaultTest": {"options": {"provider": {"config": {"password": SECRET}}}}}, {SECRET}),
        ({"tests": [{"assert": [{"type": "webhook", "value": f"https://x.test/?token={SECRET}"}]}]}, {SECRET}),
        ({"tests": [{"assert": [{"type": "equals", "value": {"token": SECRET}}]}]}, set()),
        ({"tests": [{"vars": {"token": SECRET, "password": SECRET}}]}, set()),
        ({"tests": [{"metadata": {"token": SECRET}}]}, set()),
        ({"prompts": [f"https://user:{SECRET}@example.com"]}, set()),
    ],
)
def test_secrets_of_a_configuration(document: dict[str, Json], found: set[str]) -> None:
    assert secrets_in(document) == found


def test_a_document_is_masked_by_name_and_by_value() -> None:
    document: dict[str, Json] = {
        "providers": [{"config": {"apiKey": SECRET, "password": "short", "token": "{{ env.TOKEN }}", "cookie": None}}],
        "env": {"A_SECRET": "{{ env.X | default('written out') }}"},
        "tests": [{"vars": {"token": "kept", "said": f"it is {SECRET}"}}],
    }

    assert masked(document, {SECRET}) == {
        "providers": [{"config": {"apiKey": "***", "password": "***", "token": "{{ env.TOKEN }}", "cookie": None}}],
        "env": {"A_SECRET": "***"},
        "tests": [{"vars": {"token": "kept", "said": "it is ***"}}],
    }


def test_keys_of_profiles(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(f"[a]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = {SECRET}%\n[b]\nregion = x\n")

    assert secrets_of_profiles({"AWS_SHARED_CREDENTIALS_FILE": str(file)}) == {"AKIAEXAMPLE", f"{SECRET}%"}


@pytest.mark.parametrize("content", [b"no section\n", b"\xff\xfe", None])
def test_a_file_of_profiles_that_cannot_be_read_holds_no_keys(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "credentials"
    if content is not None:
        file.write_bytes(content)

    assert secrets_of_profiles({"AWS_SHARED_CREDENTIALS_FILE": str(file)}) == frozenset()

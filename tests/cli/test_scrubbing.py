"""Secrets are found in whatever form they take, and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.cli.scrubbing import Scrubber
from sagemaker_eval.errors import ConfigError, SetupError

SECRET = "canary/with+\"quotes\"&'more'=é\n"
WORDS = "It took three days... and then – nothing… Signature=none, `token`, password, secret, key."

FORMS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "in JSON": json.dumps,
    "in JSON within JSON": lambda secret: json.dumps(json.dumps(secret)),
    "in JSON as it stands": lambda secret: json.dumps(secret, ensure_ascii=False),
    "in JSON with its slashes escaped": lambda secret: json.dumps(secret).replace("/", "\\/"),
    "in Python": repr,
    "in HTML": html.escape,
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a path": quote,
    "in a form": quote_plus,
    "in a URL in small letters": lambda secret: re.sub("%..", lambda escape: escape[0].lower(), quote(secret, safe="")),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_secret(form: str) -> None:
    text = f"before {FORMS[form]('x' + SECRET)} after"
    shown = Scrubber([SECRET]).text(text)

    assert "canary" not in shown
    assert shown.startswith("before ") and shown.endswith(" after") and "***" in shown
    assert Scrubber([SECRET]).bytes(text.encode()) == shown.encode()


@given(
    before=st.binary(max_size=9), secret=st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=8), after=st.binary()
)
def test_a_secret_in_base64(before: bytes, secret: str, after: bytes) -> None:
    whole = before + secret.encode() + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = Scrubber([secret]).text(encode(whole).decode())
        assert "***" in shown
        assert encode(secret.encode()).decode().rstrip("=") not in shown


@pytest.mark.parametrize("ellipsis", ["…", "...", " ..."])
@pytest.mark.parametrize("length", [8, 15, 31])
def test_pieces_of_a_secret_at_an_ellipsis(ellipsis: str, length: int) -> None:
    secret = "canary-0123456789-0123456789-0123"
    scrubber = Scrubber([secret])

    assert scrubber.text(f"not `{secret[:length]}{ellipsis}`") == f"not `***{ellipsis}`"
    assert scrubber.text(f"{ellipsis}{secret[-length:]}' is wrong") == f"{ellipsis}***' is wrong"
    assert scrubber.bytes(f'{{"a":"{secret[:length]}{ellipsis}"}}'.encode()) == f'{{"a":"***{ellipsis}"}}'.encode()


def test_signatures_are_masked() -> None:
    header = f"AWS4-HMAC-SHA256 Credential=x, Signature={'0a' * 32}"

    assert Scrubber().text(header) == "AWS4-HMAC-SHA256 Credential=x, Signature=***"
    assert Scrubber().bytes(f"?X-Amz-Signature={'0a' * 32}&x".encode()) == b"?X-Amz-Signature=***&x"


def test_short_values_and_short_credentials_are_words() -> None:
    scrubber = Scrubber(["testing"])
    scrubber.add_credentials(["minioadmin", None, ""])

    assert scrubber.text("testing minioadmin") == "testing minioadmin"


def test_a_longer_secret_is_masked_as_a_whole() -> None:
    assert Scrubber(["canary-one", "canary-one-and-two"]).text("canary-one-and-two") == "***"


@given(st.text())
def test_what_holds_no_secret_passes_unchanged(text: str) -> None:
    scrubber = Scrubber([SECRET, "correct-horse-battery", "https://u:canary-pw@x"])
    data = text.encode("utf-8", "surrogatepass")

    assert scrubber.text(text) == text
    assert scrubber.bytes(data) is data


@given(st.binary())
def test_bytes_without_a_secret_are_the_very_object(data: bytes) -> None:
    assert Scrubber([SECRET, "correct-horse-battery"]).bytes(data) is data


def test_words_about_secrets_pass_unchanged() -> None:
    scrubber = Scrubber([SECRET, "correct-horse-battery"])

    assert scrubber.text(WORDS) == WORDS


def test_errors_leave_without_secrets() -> None:
    scrubber = Scrubber(["correct-horse-battery"])

    with pytest.raises(ConfigError, match=r"^no \*\*\*") as refused, scrubber.errors():
        raise ConfigError.of("no correct-horse-battery", hint="not correct-horse-battery")
    assert refused.value.problems[0].hint == "not ***"
    with pytest.raises(SetupError) as failed, scrubber.errors():
        raise SetupError("no correct-horse-battery", "not correct-horse-battery")
    assert (failed.value.message, failed.value.hint) == ("no ***", "not ***")

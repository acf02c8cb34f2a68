"""The formats of JSON Schema: what ajv-formats 3 says of the same values (`ajv_formats.json`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.provisional import domains

from sagemaker_eval.assertions.json_schema.formats import NUMBER_FORMATS, TEXT_FORMATS, has_format
from sagemaker_eval.model import Json

RECORDED: dict[str, dict[str, list[str]]] = json.loads((Path(__file__).parent / "ajv_formats.json").read_text("utf-8"))
STRICTER = {("uri", "http://h:x/")}
"""What ajv-formats lets pass against RFC 3986."""


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in RECORDED.items() for text in texts["valid"]]
)
def test_what_ajv_accepts(name: str, text: str) -> None:
    assert has_format(text, name) is ((name, text) not in STRICTER)


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in RECORDED.items() for text in texts["invalid"]]
)
def test_what_ajv_refuses(name: str, text: str) -> None:
    assert not has_format(text, name)


def test_every_format_of_texts_is_recorded() -> None:
    assert set(RECORDED) == set(TEXT_FORMATS) - {"password", "binary"}


@pytest.mark.parametrize(
    ("name", "value", "holds"),
    [
        ("int32", 1, True),
        ("int32", 2.0, True),
        ("int32", 2**31 - 1, True),
        ("int32", -(2**31), True),
        ("int32", 2**31, False),
        ("int32", 1.5, False),
        ("int64", 2**60, True),
        ("int64", 1.5, False),
        ("float", 1.5, True),
        ("double", 1e300, True),
    ],
)
def test_formats_of_numbers(name: str, value: float, holds: bool) -> None:
    assert has_format(value, name) is holds


@given(st.none() | st.booleans() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_formats_are_about_texts_or_numbers_only(value: Json) -> None:
    assert all(has_format(value, name) for name in (*TEXT_FORMATS, *NUMBER_FORMATS))


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_numbers_have_every_format_of_texts(name: str) -> None:
    assert has_format(5, name)


@given(st.dates())
def test_every_date_is_one(day: object) -> None:
    assert has_format(str(day), "date")
    assert has_format(f"{day}T12:30:00.5Z", "date-time")


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_every_address_is_one(address: object) -> None:
    kind = "ipv6" if ":" in str(address) else "ipv4"
    assert has_format(str(address), kind)
    host = f"[{address}]" if kind == "ipv6" else address
    assert has_format(f"http://{host}:8080/", "uri")


@given(st.uuids(), st.emails(), domains())
def test_what_is_made_to_a_standard_is_accepted(identity: object, email: str, domain: str) -> None:
    assert has_format(str(identity), "uuid")
    assert has_format(email, "email")
    assert has_format(domain, "hostname")


@given(st.text(), st.sampled_from(sorted(TEXT_FORMATS)))
def test_any_text_has_a_format_or_not(text: str, name: str) -> None:
    assert has_format(text, name) in (True, False)

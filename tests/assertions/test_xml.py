"""What is-xml and contains-xml say of an output."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.assertions.xml import xml_fault
from sagemaker_eval.assertions.xml_scanning import fragments
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import Json, Verdict

Judged = Callable[..., Verdict]
ORDER = '<order id="7"><line><sku>a</sku></line><line><sku>b</sku><note/></line></order>'


@pytest.mark.parametrize(
    ("type", "output", "value", "passed"),
    [
        ("is-xml", "<a><b>1</b></a>", None, True),
        ("is-xml", "<a><b>1</b></a>", "a.b", True),
        ("is-xml", "<a><b>1</b></a>", ["a", "a.c"], False),
        ("is-xml", "<a><b></a>", None, False),
        ("is-xml", "Here: <a/>", None, False),
        ("is-xml", "", None, False),
        ("contains-xml", "Here: <a/>, enjoy", None, True),
        ("contains-xml", "Here: <a><b/></a>", {"requiredElements": ["a.b"]}, True),
        ("contains-xml", "Here: <a><b/></a>", "b", False),
        ("contains-xml", "<p>one<br>two</p>", None, False),
        ("contains-xml", "2 < 3 and 4 > 1", None, False),
        ("contains-xml", "<!-- <a/> -->", None, False),
        ("is-xml", ORDER, "order.line.1.note", True),
        ("is-xml", ORDER, "order.line.0.note", False),
        ("is-xml", ORDER, "order.line.note", False),
        ("is-xml", ORDER, "order.@_id", True),
    ],
)
def test_xml_and_its_opposite(judged: Judged, type: str, output: str, value: Json, passed: bool) -> None:
    assert judged(output, type, value).passed is passed
    assert judged(output, f"not-{type}", value).passed is not passed


@pytest.mark.parametrize(
    ("type", "output", "value", "reason"),
    [
        ("is-xml", "<a><b></a>", None, "Expected output to be XML; mismatched tag at line 1, column 9"),
        ("is-xml", "<a/>", "a.b,a", "Expected output to be XML with `a.b`, `a`; missing: `a.b`"),
        ("not-is-xml", "<a/>", None, "Expected output not to be XML"),
        ("contains-xml", "no", None, "Expected output to contain XML; no element in it is closed"),
        ("not-contains-xml", "<a/>", ["a"], "Expected output not to contain XML with `a`"),
    ],
)
def test_a_failure_says_what_is_missing(judged: Judged, type: str, output: str, value: Json, reason: str) -> None:
    assert judged(output, type, value).reason == reason


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<x:a/>", "unbound prefix"),
        ("<a>1 & 2</a>", "not well-formed"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares a document type of its own"),
        ("<a>\ud800</a>", "not well-formed"),
    ],
)
def test_what_is_not_well_formed_is_named(text: str, fault: str) -> None:
    found = xml_fault(text)
    assert found is not None and fault in found


def test_an_outer_document_type_is_not_fetched() -> None:
    assert xml_fault('<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><a>&unknown;</a>') is None


def test_elements_side_by_side_are_judged_together() -> None:
    (root,) = fragments("one <a>1</a> two <b>2</b>")
    assert root.has_path(["a"]) and root.has_path(["b"]) and not root.has_path(["c"])


def test_deep_nesting_is_no_problem() -> None:
    assert len(fragments("<a>" * 20_000 + "</a>" * 20_000)) == 1


@pytest.mark.parametrize("value", ["", 5, True, [None], [["a"]], {"requiredElements": "a"}, {"elements": ["a"]}])
def test_a_value_that_names_no_elements_is_refused_beforehand(judged: Judged, value: Json) -> None:
    with pytest.raises(ConfigError, match="the value of `is-xml`"):
        judged("<a/>", "is-xml", value)


def test_paths_are_templates(judged: Judged) -> None:
    assert judged("<a/>", "is-xml", "{{ name }}", vars={"name": "a"}).passed
    with pytest.raises(CaseError, match='must be a list of paths to elements; in this case it is `""`'):
        judged("<a/>", "is-xml", "{{ absent }}")

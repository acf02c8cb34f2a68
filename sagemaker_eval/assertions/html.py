"""Assertions on HTML: is-html and contains-html."""

from __future__ import annotations

import re

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, decide
from sagemaker_eval.assertions.html_elements import ELEMENTS
from sagemaker_eval.assertions.html_tree import read_html
from sagemaker_eval.assertions.values import WHITE_SPACE, refuse_value
from sagemaker_eval.model import AssertionSpec, Verdict

MAX_CHARACTERS = 10 * 1024 * 1024
"""Longer outputs are not HTML, as in promptfoo."""

_TAG_START = re.compile(r"<[a-zA-Z][a-zA-Z0-9-]*+(?:\s|(?P<slash>/?)\Z)")
_CLOSING_TAG = re.compile(r"</[a-zA-Z][a-zA-Z0-9-]*+\s*+>")
_SIGNS = (
    (1, _CLOSING_TAG),
    (1, re.compile(r"&(?:[a-zA-Z]++|#[0-9]++|#x[0-9a-fA-F]++);")),
    (2, re.compile(r"<!DOCTYPE\s++html", re.IGNORECASE)),
    (1, re.compile(r"""\s[a-zA-Z-]++=\s*+["'][^"']*+["']""")),
    (
        2,
        re.compile(
            r"<(?:html|head|body|div|span|p|a|img|h[1-6]|ul|ol|li|table|tr|td|th|form|input|button|script|style|link"
            r"|meta|br|hr)\b",
            re.IGNORECASE,
        ),
    ),
)
_ENOUGH_SIGNS = 2


@ASSERTIONS.register("is-html")
def is_html(spec: AssertionSpec) -> Check:
    """The whole output is HTML: it has elements of HTML, and no text outside of them."""
    refuse_value(spec)

    def check(subject: Subject) -> Verdict:
        fault = html_fault(subject.text)
        return decide(spec, fault is None, f"to be HTML; {fault}" if fault else "to be HTML")

    return check


@ASSERTIONS.register("contains-html")
def contains_html(spec: AssertionSpec) -> Check:
    """The output has enough signs of HTML: a known tag, a pair of tags, a doctype, or two lesser signs."""
    refuse_value(spec)

    def check(subject: Subject) -> Verdict:
        found = has_signs_of_html(subject.text)
        return decide(spec, found, "to contain HTML" if found else "to contain HTML; it has too few signs of it")

    return check


def html_fault(text: str) -> str | None:
    """What keeps a text from being HTML and nothing else; None where nothing does."""
    text = text.strip(WHITE_SPACE)
    if not text:
        return "it is empty"
    if len(text) > MAX_CHARACTERS:
        return f"it is longer than {MAX_CHARACTERS} characters"
    if text[:5].lower() == "<?xml":
        return "it is XML"
    tree = read_html(text)
    if tree.stray_text and not tree.body_written:
        return "it has text outside of any element"
    if not any(name in ELEMENTS or "-" in name for name in tree.elements):
        return "it has no element of HTML"
    return None


def has_signs_of_html(text: str) -> bool:
    """Whether a text shows signs of HTML that together weigh enough."""
    if ("<" not in text and "&" not in text and "=" not in text) or len(text) > MAX_CHARACTERS:
        return False
    weight = sum(weight for weight, sign in _SIGNS if sign.search(text))
    return weight >= _ENOUGH_SIGNS or weight + _weight_of_tags(text) + _has_comment(text) >= _ENOUGH_SIGNS


def _weight_of_tags(text: str) -> int:
    """One for opening tags, another one for tags that end with a slash; looked at piece by piece, so that it takes a
    time that grows with the text only.
    """
    opening = closed = False
    for piece in text.split(">")[:-1]:
        if found := _TAG_START.search(piece):
            opening = opening or not found["slash"]
            closed = closed or piece.endswith("/")
    return opening + closed


def _has_comment(text: str) -> bool:
    start = text.find("<!--")
    return start >= 0 and text.find("-->", start + 4) >= 0

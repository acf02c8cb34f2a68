"""What is-html and contains-html say of an output."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.assertions.html_tree import read_html
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Verdict

Judged = Callable[..., Verdict]


@pytest.mark.parametrize(
    ("type", "output", "passed"),
    [
        ("is-html", "<p>Hi</p>", True),
        ("is-html", "<!DOCTYPE html><html><body>Hi</body></html>", True),
        ("is-html", "<p>unclosed", True),
        ("is-html", "<my-card>Hi</my-card>", True),
        ("is-html", "Hi <b>there</b>", False),
        ("is-html", "<p>Hi</p> there", False),
        ("is-html", "<unknown>Hi</unknown>", False),
        ("is-html", "<?xml version='1.0'?><p/>", False),
        ("is-html", "2 < 3 and 4 > 1", False),
        ("is-html", "", False),
        ("contains-html", "Hi <b>there</b>", True),
        ("contains-html", "a <br> b", True),
        ("contains-html", "fish &amp; chips", False),
        ("contains-html", "2 < 3 and 4 > 1", False),
        ("contains-html", "List<String>", False),
        ("contains-html", "plain", False),
    ],
)
def test_html_and_its_opposite(judged: Judged, type: str, output: str, passed: bool) -> None:
    assert judged(output, type).passed is passed
    assert judged(output, f"not-{type}").passed is not passed


@pytest.mark.parametrize(
    ("type", "output", "reason"),
    [
        ("is-html", "Hi <b>x</b>", "Expected output to be HTML; it has text outside of any element"),
        ("is-html", "<x>Hi</x>", "Expected output to be HTML; it has no element of HTML"),
        ("is-html", " ", "Expected output to be HTML; it is empty"),
        ("is-html", "<?xml?><p/>", "Expected output to be HTML; it is XML"),
        ("not-is-html", "<p>", "Expected output not to be HTML"),
        ("contains-html", "Hi", "Expected output to contain HTML; it has too few signs of it"),
    ],
)
def test_a_failure_says_why(judged: Judged, type: str, output: str, reason: str) -> None:
    assert judged(output, type).reason == reason


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        ("<p>a<p>b", False),
        ("<p><div>x</div>tail</p>", True),
        ("<p><b>x</p>still bold", False),
        ("<b>x</b>tail", True),
        ("<table>moved out</table>", True),
        ("<table><tr><td>x</table>", False),
        ("<td>no table around</td>", True),
        ("<script>1 < 2</script>", False),
        ("<br>tail", True),
        ("<svg/>tail", True),
        ("<div/>inside", False),
        ("&nbsp;<p>x</p>", False),
        ("<!-- only --><p>x</p>", False),
    ],
)
def test_text_stands_where_a_browser_puts_it(text: str, stray: bool) -> None:
    assert read_html(text).stray_text is stray


def test_a_long_run_of_open_tags_is_read() -> None:
    assert read_html("<p" * 50_000).elements == set()


def test_a_value_is_refused(judged: Judged) -> None:
    with pytest.raises(ConfigError, match="`is-html` takes no `value`"):
        judged("<p>", "is-html", "p")

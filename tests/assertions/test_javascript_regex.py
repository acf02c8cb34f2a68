"""JavaScript's regular expressions: what Node.js 20 answered, and what is refused."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.assertions.regex.patterns import PatternError, TooSlow, compile_pattern

HERE = Path(__file__).parent
WRITTEN: list[dict[str, Any]] = json.loads((HERE / "javascript_regex.json").read_text("ascii"))
RANDOM: list[dict[str, Any]] = json.loads((HERE / "javascript_regex_random.json").read_text("ascii"))


def is_found(pattern: str, text: str, unicode: bool = False) -> bool:
    return compile_pattern(pattern, unicode).found_in(text, time.perf_counter() + 60)


def name_of(case: dict[str, Any]) -> str:
    return f"{case['topic']}: {case['pattern']}".encode("unicode_escape").decode()


@pytest.mark.parametrize("case", [case for case in WRITTEN if "invalid" not in case], ids=name_of)
def test_matches_as_in_javascript(case: dict[str, Any]) -> None:
    unicode = case.get("flags") == "u"
    for text in (*case["found"], *case["missing"]):
        assert is_found(case["pattern"], text, unicode) is (text in case["found"]), text


@pytest.mark.parametrize("case", [case for case in WRITTEN if "invalid" in case], ids=name_of)
def test_refuses_what_javascript_refuses(case: dict[str, Any]) -> None:
    with pytest.raises(PatternError):
        compile_pattern(case["pattern"], case.get("flags") == "u")


def test_random_patterns_match_as_in_javascript() -> None:
    differing = []
    for case in RANDOM:
        try:
            found = [text for text in (*case["found"], *case["missing"]) if is_found(case["pattern"], text)]
        except PatternError as error:
            assert "a round of a repetition" in str(error), case
            continue
        if found != case["found"]:
            differing.append(case["pattern"])
    assert differing == []


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        ("(?i)yes", "`(?i)` does not begin a group of JavaScript (at character 1)", "icontains"),
        ("a(?i:yes)", "`(?i:` does not begin a group of JavaScript (at character 2)", "[Yy]es"),
        ("(?P<n>a)", "`(?P<n>a)` does not begin a group of JavaScript (at character 1)", "(?<name>…)"),
        ("(?>a)", "`(?>a)` does not begin a group of JavaScript (at character 1)", "no atomic groups"),
        ("a++", "`+` has nothing to repeat (at character 3)", "possessive"),
        ("*a", "`*` has nothing to repeat (at character 1)", "`\\*`"),
        ("^*", "`*` has nothing to repeat: `^` matches a position, not text (at character 2)", None),
        ("(?<=a)+", "`+` has nothing to repeat: `(?<=a)` matches a position, not text (at character 7)", None),
        ("a(b", "`(` is never closed (at character 4)", "`\\(`"),
        ("ab)", "`)` closes nothing (at character 3)", "`\\)`"),
        ("a[b", "`[` is never closed (at character 2)", "`\\[`"),
        ("a\\", "`\\` at the end of the pattern", "`\\\\`"),
        ("[z-a]", "the range `z-a` is out of order (at character 5)", None),
        ("[😁-😀]", "the range `", None),
        ("a{2,1}", "the numbers of `{2,1}` are out of order (at character 7)", None),
        ("(?<n>a)(?<n>b)", "two groups are called `n`", "name of its own"),
        ("(?<1>a)", "`1` cannot be the name of a group", None),
        ("(?<n>a)\\k<m>", "no group is called `m` (at character 13)", None),
        ("\\p{L}", "`\\p{…}` needs JavaScript's `u` flag, which this pattern has no place for", "list the characters"),
        ("\\u{1F600}", "`\\u{1F600}` needs JavaScript's `u` flag, which this pattern has no place for", "itself"),
        (
            "^(?:(a)|b)*\\1$",
            "`\\1` refers to a group that a round of a repetition may leave out or leave empty",
            "repeat the group",
        ),
        ("(?:(a)?\\1b)+", "`\\1` refers to a group that a round of a repetition may leave out or leave empty", None),
        ("(a*)+\\1", "`\\1` refers to a group that a round of a repetition may leave out or leave empty", None),
        ("(?:a{200}){200}", "the pattern repeats too much", "`{0,n}` has no limit"),
        ("a{99999999999}", "the pattern repeats too much", None),
        ("(" * 200 + ")" * 200, "groups are nested more than 80 deep", None),
    ],
)
def test_a_refusal_says_why(pattern: str, message: str, hint: str | None) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert str(caught.value).startswith(f"invalid regular expression `{pattern}`: {message}")
    assert hint is None or hint in str(caught.value.hint)


def test_an_unknown_unicode_property_is_refused() -> None:
    with pytest.raises(
        PatternError, match=re.escape("the regular expression `\\p{Nope}` cannot be used: unknown property")
    ):
        compile_pattern("\\p{Nope}", unicode=True)


@pytest.mark.parametrize("deadline", [0.0, -1.0])
def test_no_search_begins_after_the_deadline(deadline: float) -> None:
    with pytest.raises(TooSlow):
        compile_pattern("a").found_in("a", deadline)


def test_a_search_that_would_take_years_is_given_up() -> None:
    with pytest.raises(TooSlow):
        compile_pattern("(a|aa)+$").found_in("a" * 100 + "b", time.perf_counter() + 0.02)


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\d", "\\w", "(?:a|b)", "(?:ab|)", "\\.", "\\n"])
TERMS = st.tuples(ATOMS, st.sampled_from(["", "*", "+", "?", "{2}", "{0,2}", "*?"])).map("".join)
PATTERNS = st.lists(TERMS, max_size=5).map("".join)


@given(PATTERNS, st.text("ab1.\n", max_size=6), st.booleans())
def test_what_both_dialects_share_means_the_same(pattern: str, text: str, whole: bool) -> None:
    written, plain = (f"^(?:{pattern})$", rf"\A(?:{pattern})\Z") if whole else (pattern, pattern)
    assert is_found(written, text) is (re.search(plain, text, re.ASCII) is not None)


@given(st.text(min_size=1))
def test_every_escaped_text_finds_itself(text: str) -> None:
    escaped = "".join(f"\\{character}" if character in "^$\\.*+?()[]{}|/" else character for character in text)
    assert is_found(f"^{escaped}$", text)
    assert is_found(escaped, f"before{text}after")


@given(st.text())
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        compile_pattern(text)
    except PatternError as error:
        assert "\n" in text or "\n" not in str(error)

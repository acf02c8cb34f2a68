"""Some thousand templates against what nunjucks itself makes of them, as `regenerate_renderings.py` recorded it.

Every difference is deliberate, and counted under its reason. Templates that nunjucks fails on have no rendering to
compare; here they may render.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from sagemaker_eval.errors import ConfigError, RenderError
from sagemaker_eval.text.templating.templates import Templates

RECORD = Path(__file__).with_name("nunjucks_renderings.json")

Difference = Callable[[str, str, str], bool]
"""Whether a reason applies to (template, nunjucks' rendering, ours)."""


def template(pattern: str) -> Difference:
    return lambda source, theirs, ours: re.search(pattern, source) is not None


def error(pattern: str) -> Difference:
    return lambda source, theirs, ours: re.search(f"^RenderError: {pattern}", ours) is not None


DELIBERATE: dict[str, tuple[int, Difference]] = {
    "an object prints as its JSON": (192, lambda source, theirs, ours: "[object Object]" in theirs),
    "arithmetic on what is undefined is an error, not NaN": (47, error("variable `missing` is not defined, so `")),
    "null and undefined are empty wherever text is made": (
        29,
        lambda source, theirs, ours: ours == re.sub("null|undefined", "", theirs) != theirs,
    ),
    "a filter says that it cannot take what it is given": (189, error(r"the filter `\w+` cannot take ")),
    "a filter of text takes the text of numbers, booleans and lists, and undefined as empty": (
        45,
        template(r"\| (capitalize|center|indent|lower|striptags|title|truncate|upper|urlencode|wordcount)"),
    ),
    "a length counts characters, not units of UTF-16": (1, template("😀")),
    "an object has a length": (2, template(r"flat\.length")),
    "a number or a boolean has the length 0": (8, template(r"\| length")),
    "`int` cuts a number, whatever its printed form begins with": (6, template(r"(tiny|huge) \| int")),
    "a number in JSON may be written as `1e-07`": (2, template(r"tiny \| dump")),
    "a list filter goes through the keys of an object": (29, template(r"\b(o|flat) \| ")),
    "a loop with one variable goes through the keys of an object": (3, template(r"for \w in (o|flat) ")),
    "a text is one item to `join` by an attribute": (5, template(r"\| join\(', ', 'name'\)")),
    "a text is cut into lists of characters": (4, template(r"\| slice\(2\)")),
    "powers of whole numbers are exact, and the last digit of others is the platform's": (4, template(r"\*\*")),
    "a negative number may be odd": (1, template("neg is odd")),
    "a negative index counts from the end": (1, template(r"l\[-1\]")),
    "a loop may have a condition": (1, template("for x in l if")),
    "numbers may have an exponent": (1, template(" 1e21 ")),
    "`set` with several names takes a list apart": (1, template("set a, b")),
    "a variable that is set to what is undefined is undefined": (1, template("set n = missing")),
    "lists of objects compare by their JSON": (1, template(r"people if blank else digits\) <")),
}


@cache
def record() -> dict[str, Any]:
    return json.loads(RECORD.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def rendered(templates: Templates, source: str) -> str:
    """Our rendering; the error, where there is one."""
    try:
        return templates.prompt(source).render(record()["vars"])
    except (ConfigError, RenderError) as failure:
        return f"{type(failure).__name__}: {failure}"


def test_templates_render_as_in_nunjucks() -> None:
    templates = Templates(env={"HOME": "/home/me"})
    reasons: Counter[str] = Counter()
    unexplained = []
    for source, theirs in record()["renderings"]:
        if theirs is None or (ours := rendered(templates, source)) == theirs:
            continue
        reason = next((name for name, (_, applies) in DELIBERATE.items() if applies(source, theirs, ours)), None)
        if reason is None:
            unexplained.append((source, theirs, ours))
        reasons[reason or ""] += 1
    assert not unexplained
    assert reasons == {name: count for name, (count, _) in DELIBERATE.items()}


def test_what_nunjucks_cannot_render_renders_or_is_an_expected_error() -> None:
    templates = Templates(env={"HOME": "/home/me"})
    failing = [source for source, theirs in record()["renderings"] if theirs is None]
    assert len(failing) > 500
    assert all(isinstance(rendered(templates, source), str) for source in failing)

"""The filters of text, with nunjucks' results. Each takes the text itself: null and undefined never reach them."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable
from typing import Any

from sagemaker_eval.text.templating.bounds import check_size
from sagemaker_eval.text.templating.javascript_methods import MAX_TEXT
from sagemaker_eval.text.templating.javascript_values import to_text, truthy

_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*\b[^>]*>")
_TAG_OR_COMMENT = re.compile(rf"{_TAG.pattern}|<!--.*?-->", re.DOTALL)


def _title(text: str) -> str:
    return " ".join(word.capitalize() for word in text.split(" "))


def _truncate(text: str, length: int = 255, killwords: object = False, end: object = "...") -> str:
    """The first `length` characters (back to the last space unless `killwords`), then `end` on top of them."""
    if len(text) <= length:
        return text
    cut = text[:length]
    if not truthy(killwords):
        space = text.rfind(" ", 0, length + 1)
        cut = text[: length if space == -1 else space]
    return cut + to_text(end)


def _indent(text: str, width: int = 4, first: object = False) -> str:
    if not text:
        return text
    padding = " " * min(int(width), MAX_TEXT)
    lines = text.split("\n")
    check_size(len(padding) * len(lines))
    return "\n".join(padding + line if number or truthy(first) else line for number, line in enumerate(lines))


def _center(text: str, width: int = 80) -> str:
    spaces = min(int(width), MAX_TEXT) - len(text)
    if spaces <= 0:
        return text
    left = math.ceil(spaces / 2 - spaces % 2)
    return " " * left + text + " " * math.ceil(spaces / 2)


def _striptags(text: str, preserve_linebreaks: object = False) -> str:
    # Where nothing closes a comment or a tag any more, a search for its end would go through the rest each time.
    commented, tagged = text.rfind("-->") + 1, text.rfind(">") + 1
    head = _TAG_OR_COMMENT.sub("", text[: commented + 2 if commented else 0])
    middle = _TAG.sub("", text[commented + 2 if commented else 0 : tagged])
    text = f"{head}{middle}{text[tagged:]}".strip()
    if not truthy(preserve_linebreaks):
        return re.sub(r"\s+", " ", text)
    text = re.sub(r"^ +| +$", "", text, flags=re.MULTILINE)
    text = re.sub(r" +", " ", text).replace("\r\n", "\n")
    return re.sub(r"\n{3,}", "\n\n", text)


def _escape(text: str) -> str:
    return html.escape(text, quote=True).replace("&#x27;", "&#39;").replace("\\", "&#92;")


def _word_count(text: str) -> int | str:
    return len(re.findall(r"\w+", text, re.ASCII)) or ""


TEXT_FILTERS: dict[str, Callable[..., Any]] = {
    "capitalize": str.capitalize,
    "center": _center,
    "e": _escape,
    "escape": _escape,
    "forceescape": _escape,
    "indent": _indent,
    "lower": str.lower,
    "nl2br": lambda text: re.sub(r"\r\n|\n", "<br />\n", text),
    "string": str,
    "striptags": _striptags,
    "title": _title,
    "trim": str.strip,
    "truncate": _truncate,
    "upper": str.upper,
    "wordcount": _word_count,
}

"""How much one rendering may make: a template that grows without end is an error, not a machine out of memory."""

from __future__ import annotations

from collections.abc import Iterable

from sagemaker_eval.errors import RenderError

MAX_MADE = 200_000_000
"""Characters that the operators, filters and methods of one rendering may make together, and that its text may have."""

MAX_ITEMS = 1_000_000
"""Values that may be printed, or written as JSON, at once."""

_ITEM_SIZE = 8


def check_size(size: int) -> None:
    """Raise `RenderError` where a text of `size` characters is more than a template may make."""
    if size > MAX_MADE:
        raise RenderError(f"the template makes more than {MAX_MADE} characters", "look for a text that keeps growing")


def check_items(count: int) -> None:
    """Raise `RenderError` where a list of `count` values is more than a template may make."""
    if count > MAX_ITEMS:
        raise RenderError(f"the template makes more than {MAX_ITEMS} values", "look for a list that keeps growing")


def size_of(value: object) -> int:
    """What a value that was made counts as, in characters."""
    if isinstance(value, str):
        return len(value)
    return _ITEM_SIZE * len(value) if isinstance(value, list | dict) else 0


def join(parts: Iterable[str]) -> str:
    """The parts of a rendering as one text. Raises `RenderError` where it is too long."""
    texts = list(parts)
    check_size(sum(map(len, texts)))
    return "".join(texts)


def replaced(text: str, old: str, new: str, count: int = -1) -> str:
    """`text.replace(old, new, count)`. Raises `RenderError` where it is too long."""
    if len(new) > len(old):
        check_size(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new, count)


def joined(separator: str, texts: list[str]) -> str:
    """`separator.join(texts)`. Raises `RenderError` where it is too long."""
    check_size(len(separator) * len(texts) + sum(map(len, texts)))
    return separator.join(texts)

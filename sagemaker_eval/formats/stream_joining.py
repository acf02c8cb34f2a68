"""What the assemblers of streams share: their shape, and how pieces become one text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from sagemaker_eval.model import Json

_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class Assembler(Protocol):
    """Puts the events of one dialect together to the document that an answer without streaming would have been."""

    @property
    def ended(self) -> bool:
        """Whether the last event has come, as far as the dialect has one."""
        ...

    def take(self, event: dict[str, Json]) -> int:
        """The pieces of generated text in an event: 0 or 1."""
        ...

    def document(self) -> Json: ...


def joined(pieces: Iterable[str]) -> str:
    """One text of its pieces; the halves of a surrogate pair that two events escaped apart become one character."""
    text = "".join(pieces)
    return text if text.isascii() else _SURROGATE_PAIR.sub(_character, text)


def _character(pair: re.Match[str]) -> str:
    return pair.group().encode("utf-16-le", "surrogatepass").decode("utf-16-le")

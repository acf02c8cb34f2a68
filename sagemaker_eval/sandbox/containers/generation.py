"""One generated text: written or scripted, cut to the tokens asked for, ended by a stop sequence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from sagemaker_eval.sandbox.containers.asking import Asked
from sagemaker_eval.sandbox.containers.tokens import count_tokens, cut_to_tokens
from sagemaker_eval.sandbox.containers.writing import write


class End(Enum):
    """Why a text ends: the model was done, the token limit was reached, or a stop sequence came up."""

    DONE = auto()
    LIMIT = auto()
    STOP = auto()


@dataclass(frozen=True, slots=True)
class Generated:
    """A text with its token counts. `stopped_by` is the stop sequence that ended it; the text does not contain it."""

    text: str
    end: End
    prompt_tokens: int
    tokens: int
    stopped_by: str | None = None


def generate(
    asked: Asked, limit: int | None = None, stops: tuple[str, ...] = (), container_limit: int | None = None
) -> Generated:
    """The text of the script or, where it has none, a written one.

    `limit` is the request's own; where it has none, a written text ends at the default of the container, whereas a
    scripted text is given whole.
    """
    prompt = asked.prompt
    if asked.scripted is None:
        text, limit = write(asked.endpoint, prompt, asked.question), limit or container_limit
    else:
        text = asked.scripted
    cut = False
    if limit is not None:
        text, cut = cut_to_tokens(text, limit)
    stop, position = _first_stop(text, stops)
    if stop is not None:
        text = text[:position]
    end = End.STOP if stop is not None else End.LIMIT if cut else End.DONE
    return Generated(text, end, count_tokens(prompt), count_tokens(text), stop)


def _first_stop(text: str, stops: tuple[str, ...]) -> tuple[str | None, int]:
    found = [(text.index(stop), stop) for stop in stops if stop in text]
    if not found:
        return None, len(text)
    position, stop = min(found)
    return stop, position

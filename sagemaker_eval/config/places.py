"""Walking from a place in a document to the places inside it."""

from __future__ import annotations

from sagemaker_eval.model import Place


def within(where: Place, *steps: str | int) -> Place:
    """The place that `steps` lead to from `where`. Line and column of `where` stay: they are the best known so far."""
    return Place(where.path, where.line, where.column, where.pointer + steps)


def pointer_name(pointer: tuple[str | int, ...]) -> str:
    """What a message calls the value at `pointer`: its key, with the index of a list element (`assert[2]`)."""
    name = ""
    for step in pointer:
        name = f"{name}[{step}]" if isinstance(step, int) else step
    return name

"""The members of a call whose values are templates, made and checked for one case."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sagemaker_eval.config.routing_members import MEMBERS, is_templated
from sagemaker_eval.errors import RenderError

_SHOWN = 60
"""Characters of a value that a message shows."""


def rendered_routing(routing: Mapping[str, str], render: Callable[[str], str]) -> tuple[tuple[str, str], ...]:
    """`SageMakerOptions.routing` as `Request.routing`: sorted by name, with `render` put to every template.

    Raises `RenderError`, which names the key, for a value that the service would not take, and what `render` raises.
    """
    if not routing:
        return ()
    return tuple(sorted((name, _rendered(name, text, render)) for name, text in routing.items()))


def _rendered(name: str, text: str, render: Callable[[str], str]) -> str:
    if not is_templated(text):
        return text  # what is fixed was checked when the configuration was loaded
    value, member = render(text), MEMBERS[name]
    flaw = member.flaw(value)
    if flaw is None:
        return value
    but = "" if member.sensitive else f", not {value[:_SHOWN]!a}"
    raise RenderError(f"`{member.key}` {flaw}{but}", f"it was made of the template `{' '.join(text.split())}`")

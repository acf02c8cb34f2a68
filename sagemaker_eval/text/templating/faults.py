"""What is wrong with a template, in plain words: Jinja2's complaints and Python's exceptions, reworded."""

from __future__ import annotations

import re
from types import TracebackType

from jinja2 import Template, TemplateSyntaxError
from jinja2.exceptions import SecurityError, TemplateRuntimeError, UndefinedError

from sagemaker_eval.errors import CaseError, RenderError

_WORDS = (
    (r" Jinja was looking for the following tags?: ", ", expected "),
    (r" You probably made a nesting mistake\.", ""),
    (r"\.? The innermost block that needs to be closed is ('[^']*')\.?", r" to close \1"),
    (r"^Encountered ", ""),
    (r"\.,", ","),
    (r"'(end of print statement)'", r"`}}`"),
    (r"'(end of statement block)'", r"`%}`"),
    (r"'([^']*)'", r"`\1`"),
)


def syntax_message(error: TemplateSyntaxError) -> str:
    """One line on a template that cannot be read."""
    text = " ".join((error.message or "it cannot be read").split())
    for pattern, replacement in _WORDS:
        text = re.sub(pattern, replacement, text)
    text = text.rstrip(".")
    return f"template syntax: {text[:1].lower()}{text[1:]}"


def render_error(error: Exception, template: Template, source: str) -> RenderError:
    """What a failed rendering becomes; the line is named where the template has several."""
    message, hint = _cause(error)
    if "\n" in source.rstrip("\n"):
        line = _template_line(error.__traceback__, template)
        message += f" (line {line} of the template)" if line else ""
    return RenderError(message, hint)


def _cause(error: Exception) -> tuple[str, str | None]:
    if isinstance(error, CaseError):
        return error.message, error.hint
    if isinstance(error, SecurityError):
        return _plain(str(error)), None
    if isinstance(error, RecursionError):
        return "the template calls itself without end", None
    if isinstance(error, OverflowError | MemoryError):
        return "the template makes more than it may", None
    if isinstance(error, UndefinedError | TemplateRuntimeError):
        return _plain(str(error)), None
    if isinstance(error, TypeError) and str(error).startswith("macro "):
        return _plain(str(error)), None
    return "the template cannot be rendered with these variables", "look at the types of the values it is given"


def _plain(message: str) -> str:
    message = re.sub(r"'([^']*)'", r"`\1`", " ".join(message.split())).rstrip(".")
    return f"{message[:1].lower()}{message[1:]}"


def _template_line(traceback: TracebackType | None, template: Template) -> int | None:
    """The template's own line in the innermost of its frames."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__jinja_template__") is template:
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line

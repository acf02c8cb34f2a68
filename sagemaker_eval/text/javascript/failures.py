"""A run of the user's JavaScript that yielded no value, put into words."""

from __future__ import annotations

import re
from typing import assert_never

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Json
from sagemaker_eval.text.javascript.programs import Limits, Reply
from sagemaker_eval.text.javascript.sources import Source

LONGEST_MESSAGE = 300

_HOST_NAME = re.compile(
    r"(Blob|Buffer|Bun|Deno|FormData|Headers|Intl|Request|Response|TextDecoder|TextEncoder|URL|URLSearchParams"
    r"|WebAssembly|WebSocket|Worker|XMLHttpRequest|__dirname|__filename|crypto|document|exports|fetch|global|module"
    r"|navigator|process|setImmediate|setInterval|window) is not defined"
)
"""What browsers or Node add to the language, and is not there."""

_NO_MODULE = re.compile(r"could not load module '(.*)'", re.DOTALL)


def script_error(reply: Reply, source: Source, limits: Limits) -> ScriptError:
    """The error of a case whose script ended without a value."""
    message, hint = _told(reply, source, limits)
    return ScriptError(message, hint)


def load_error(reply: Reply, source: Source, limits: Limits) -> ConfigError:
    """The error of a file that failed while it was loaded, before any function of it was called."""
    message, hint = _told(reply, source, limits)
    return ConfigError.of(f"{message}, while it was loaded", hint=hint)


def _told(reply: Reply, source: Source, limits: Limits) -> tuple[str, str]:
    spot = source.spot(reply.line)
    match reply.kind:
        case "raised":
            return _raised(reply.payload, spot)
        case "time":
            return (
                f"{spot} took longer than {limits.seconds:g} s",
                "Look for a loop that does not end, or a regular expression that tries too much.",
            )
        case "memory":
            return (
                f"{spot} needs more memory than the {limits.memory >> 20} MB that it may use",
                "Look for a list or a text that keeps growing.",
            )
        case "unsettled":
            return (
                f"{spot} waits for a promise that nothing will ever settle",
                "Return the value itself, or a promise that is resolved by the code.",
            )
        case "unusable":
            return (
                f"{spot} returned what cannot be written as JSON: {_on_one_line(reply.payload)}",
                "Return text, numbers, booleans, null, or lists and objects of these.",
            )
        case "function":
            return f"{spot} returned a function", "Call it, and return its result."
        case "missing":
            return f"{spot} no longer exports its function", "Export it whatever the circumstances."
        case "value" | "undefined":
            raise ValueError("a run that yielded a value has no failure")
        case _:
            assert_never(reply.kind)


def _raised(error: Json, spot: str) -> tuple[str, str]:
    name, message = error["name"], error["message"]
    missing = _NO_MODULE.match(message)
    if missing:
        message = f"`import` of `{missing[1]}`: modules and file access are not available"
        name = "Error"
    told = f"{name}: {message}" if name and message else name or message
    return f"{spot} raised {_on_one_line(told)}", _hint(message)


def _hint(message: str) -> str:
    unknown = _HOST_NAME.fullmatch(message)
    if unknown and unknown[1] == "process":
        return "JavaScript runs here without environment: pass what it needs as a variable, `{{ env.NAME }}`."
    if unknown:
        return (
            f"`{unknown[1]}` is not part of the language: JavaScript runs here without files, network and environment."
        )
    if "modules and file access are not available" in message:
        return "Put what it needs into the code itself, or write it in Python."
    return "Correct the code; it can write to the debug log with `console.log(...)`."


def _on_one_line(text: str) -> str:
    line = " ".join(text.split())
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
    return printable if len(printable) <= LONGEST_MESSAGE else f"{printable[:LONGEST_MESSAGE]} ..."

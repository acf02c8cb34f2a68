"""The user's JavaScript files: `file://script.js[:function]`, as CommonJS or as a module."""

from __future__ import annotations

import re
from pathlib import Path

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.text.files_read import note_read
from sagemaker_eval.text.javascript.programs import Limits, Program
from sagemaker_eval.text.javascript.sources import COMMONJS, MODULE, Source, Wrapping, broken, checked

PREFIX = "file://"

_REFERENCE = re.compile(r"(?P<file>.+(?P<ending>\.[cm]?[jt]s))(?::(?P<name>[^:]*))?", re.IGNORECASE)
_NAME = re.compile(r"[\w$]+(?:\.[\w$]+)*")
_HASHBANG = re.compile(r"\A#!")


def read_reference(reference: str, base_path: str) -> tuple[Source, str | None]:
    """The file that `file://script.js[:function]` names, read, and the function.

    The path is relative to `base_path`; the last colon counts. Raises `ConfigError` without a place for what is no
    JavaScript file, TypeScript, a name that cannot be one, and a file that cannot be read.
    """
    written = reference.removeprefix(PREFIX)
    parts = _REFERENCE.fullmatch(written)
    if parts is None:
        raise ConfigError.of(
            f"`{reference}` is not a JavaScript file",
            hint="Name a file that ends in `.js`, `.mjs` or `.cjs`, and a function after a colon: `file://script.js:fn`.",
        )
    file, name = parts["file"], parts["name"]
    if parts["ending"].lower().endswith("ts"):
        raise ConfigError.of(
            f"`{reference}`: TypeScript is not yet supported",
            hint="Compile it to JavaScript, or write the function in Python: `file://script.py:function`.",
        )
    if name is not None and not _NAME.fullmatch(name):
        raise ConfigError.of(
            f"`{reference}`: `{name}` is not the name of a function", hint=f"Write it as `{PREFIX}{file}:function`."
        )
    path = Path(base_path, file)
    return Source(_HASHBANG.sub("//", _text(path, file)), Place(str(path)), path.name), name


def file_program(source: Source, name: str | None, default_name: str | None, limits: Limits) -> Program:
    """The program of a file: CommonJS or a module by its ending, and for `.js` by what the engine can parse.

    Raises `ConfigError` with the place in the file.
    """
    code = checked(source)
    faults = []
    for wrapping in _wrappings(source):
        fault = wrapping.fault(code, limits)
        if fault is None:
            return wrapping.program(code, name, default_name)
        faults.append(fault)
    raise broken(source, faults)


def no_function(source: Source, program: Program, exported: list[str]) -> ConfigError:
    """The error for a file that does not export the function that is asked for. `exported` are those that it does."""
    file = source.file
    wanted = f"function `{program.name}`" if program.name else "default function"
    if not exported:
        name = program.name or program.other or "fn"
        return ConfigError.of(
            f"`{file}` exports no {wanted}",
            hint=f"It exports none at all: write `module.exports = {{ {name} }}` or `export function {name}(...)`.",
        )
    best = nearest_name(program.name or program.other or "", exported) or exported[0]
    names = ", ".join(f"`{name}`" for name in dict.fromkeys(exported))
    return ConfigError.of(f"`{file}` exports no {wanted}", hint=f"It exports {names}; write `{PREFIX}{file}:{best}`.")


def _wrappings(source: Source) -> tuple[Wrapping, ...]:
    ending = Path(source.file or "").suffix.lower()
    if ending == ".mjs":
        return (MODULE,)
    return (COMMONJS,) if ending == ".cjs" else (COMMONJS, MODULE)


def _text(path: Path, file: str) -> str:
    note_read(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError.of(
            f"the script `{file}` does not exist",
            hint=f"It was looked for at `{path.resolve()}`: paths are relative to the configuration file.",
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError.of(
            f"the script `{file}` is not UTF-8: byte {error.start} cannot be decoded", hint="Save it as UTF-8."
        ) from None
    except OSError as error:
        raise ConfigError.of(
            f"the script `{file}` cannot be read: {error.strerror or error}", hint=f"Check `{path}`."
        ) from error

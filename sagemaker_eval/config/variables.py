"""`vars` of a test: a map, or files of maps; and the `transformVars` that make more of them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from sagemaker_eval.config.explaining import KeyProblem, describe, misshapen
from sagemaker_eval.config.file_values import no_file, variable_value
from sagemaker_eval.config.folder_tree import check_made
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.references import display_path, expand_glob, is_reference
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import EMPTY, Json, Place, UserCode
from sagemaker_eval.text.code import Code, Role, compile_code
from sagemaker_eval.text.javascript.script import UNDEFINED

_TRANSFORM = Role("transformVars", ("vars", "context"))


def read_variables(raw: Json, where: Place, base_path: str) -> Mapping[str, Json]:
    """The variables of a map, or of the files that a path or a list of paths names, with `file://` values read.

    Paths of whole files are relative to the folder of the file that names them; everything after `file://` is relative
    to `base_path`. Of several files the last wins. Raises `ConfigError`.
    """
    if raw is None:
        return EMPTY
    if isinstance(raw, str | list):
        return _from_files([raw] if isinstance(raw, str) else raw, where, base_path)
    if not isinstance(raw, Mapping):
        raise misshapen("a map", raw, where)
    if _looks_like_assertions(raw.get("assert")):
        hint = "move it out of `vars`, to the level of `vars` itself"
        raise ConfigError([KeyProblem("`assert` stands among the variables", within(where, "assert"), hint)])
    if not any(isinstance(value, list) or is_reference(value) for value in raw.values()):
        return raw
    problems = Problems()
    values = problems.attempt_each(
        raw.items(), lambda item: (item[0], variable_value(item[1], base_path, within(where, item[0])))
    )
    problems.check()
    return dict(values)


def forced_variables(variables: Mapping[str, str]) -> Mapping[str, Json]:
    """The variables of the command line, whose `file://` values are relative to the working folder."""
    return {name: variable_value(value, ".", Place(f"--var {name}")) for name, value in variables.items()}


class VariableTransforms:
    """The `transformVars` of a suite, each compiled once."""

    def __init__(self) -> None:
        self._compiled: dict[UserCode, Code] = {}

    def applied(self, code: UserCode, variables: Mapping[str, Json], test: Place | None) -> Mapping[str, Json]:
        """The variables with those that the code returns over them.

        It is called with the variables, lists not yet expanded and `file://` values read (the name stands for a
        script's), and with `{prompt: {}, uuid}`, where the uuid is the same whenever the same test is read. `file://`
        values that it returns are read too. Raises `ConfigError` at the code's place where it fails or returns no map.
        """
        try:
            compiled = self._compiled.get(code) or self._compiled.setdefault(code, compile_code(code, _TRANSFORM))
            result = compiled.call(_as_written(variables), {"prompt": {}, "uuid": _uuid(test)})
        except ScriptError as error:
            raise ConfigError.of(error.message, code.where, error.hint) from None
        where = code.where or Place(code.source)
        if not isinstance(result, Mapping):
            found = "nothing" if result is UNDEFINED or result is None else describe(result)
            hint = "return an object of variables, for example `({...vars, name: 1})`"
            raise ConfigError.of(f"`transformVars` must return a map of variables, not {found}", where, hint)
        check_made(result, code)
        return {**variables, **read_variables(result, where, code.base_path)}


def _from_files(paths: list[Json], where: Place, base_path: str) -> Mapping[str, Json]:
    merged: dict[str, Json] = {}
    problems = Problems()
    for index, path in enumerate(paths):
        place = within(where, index) if len(paths) > 1 else where
        found = problems.attempt(lambda path=path, place=place: _from_path(path, place, base_path))  # type: ignore[misc]
        merged |= found or {}
    problems.check()
    return merged


def _from_path(path: Json, where: Place, base_path: str) -> Mapping[str, Json]:
    if not isinstance(path, str):
        raise misshapen("a map of variables, or a path of a file of them", path, where)
    folder = base_path if is_reference(path) else os.path.dirname(where.path)
    files = expand_glob(path, folder)
    if not files:
        raise no_file(path, folder or ".", where)
    merged: dict[str, Json] = {}
    for file in files:
        merged |= _from_file(display_path(file), where, base_path)
    return merged


def _from_file(path: str, where: Place, base_path: str) -> Mapping[str, Json]:
    ending = Path(path).suffix.lower()
    if ending not in (".yaml", ".yml", ".json"):
        message = f"variables from `{ending}` files are not supported: `{path}`"
        raise ConfigError.of(message, where, "give a map of variables as .yaml, .yml or .json")
    document = (parse_json if ending == ".json" else parse_yaml)(read_text(path), path)
    if not isinstance(document, Mapping):
        raise ConfigError.of(f"the file must hold a map of variables, not {describe(document)}", Place(path))
    return read_variables(document, Place(path), base_path)


def _looks_like_assertions(value: Json) -> bool:
    """Whether the value of a variable called `assert` is what belongs one level up."""
    return isinstance(value, list) and any(isinstance(item, Mapping) and "type" in item for item in value)


def _as_written(variables: Mapping[str, Json]) -> dict[str, Json]:
    """The variables as code can be given them: for each script its name."""

    def written(value: Json) -> Json:
        if isinstance(value, UserCode):
            return value.source
        return [written(part) for part in value] if isinstance(value, list) else value

    return {name: written(value) for name, value in variables.items()}


def _uuid(test: Place | None) -> str:
    """A UUID of a test's place, so that reading a file twice makes the same tests."""
    place = "" if test is None else f"{test.path}:{test.line}:{test.pointer}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, place))

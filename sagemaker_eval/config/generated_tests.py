"""Tests that a script of the user makes: `file://tests.py[:function]`, `file://tests.js[:function]`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sagemaker_eval.config.explaining import describe
from sagemaker_eval.config.external_tests import checked_entry
from sagemaker_eval.config.folder_tree import check_made
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.streamed_tests import Build
from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Json, Place, TestCase, UserCode
from sagemaker_eval.text.code import Code, NamedCode, Role, compile_code, is_python
from sagemaker_eval.text.javascript.script import UNDEFINED
from sagemaker_eval.text.python_code import PythonCode
from sagemaker_eval.text.scripts import load_function

_ROLE = Role("tests", ("config",), python_function="generate_tests")


@dataclass(frozen=True, slots=True)
class Generator:
    """A function that makes tests. It is called once, with `config` where there is one, else with nothing."""

    code: UserCode
    config: Json = None

    def tests(self, path: str, build: Build) -> tuple[TestCase, ...]:
        """The tests that the function returns as a list or, in Python, yields. `path` is what messages call the file.

        Raises `ConfigError` where the function fails or returns anything else, and for each test that is none.
        """
        problems = Problems()

        def one(item: tuple[int, Json]) -> TestCase:
            number, raw = item
            try:
                place = Place(path, pointer=(number - 1,))
                return build(checked_entry(raw, place), place)
            except ConfigError as error:
                named = (replace(found, message=f"test {number}: {found.message}") for found in error.problems)
                raise ConfigError(named) from None

        tests = problems.attempt_each(enumerate(self._raw(), start=1), one)
        problems.check()
        return tuple(tests)

    def _raw(self) -> list[Json]:
        where = self.code.where
        try:
            function = _compiled(self.code)
            made = function.call() if self.config is None else function.call(self.config)
        except ScriptError as error:
            raise ConfigError.of(error.message, where, error.hint) from None
        except ConfigError as error:
            raise ConfigError(replace(problem, where=problem.where or where) for problem in error.problems) from None
        if not isinstance(made, list):
            found = "nothing" if made is None or made is UNDEFINED else describe(made)
            raise ConfigError.of(f"tests: the function must return a list of tests, not {found}", where)
        check_made(made, self.code)
        return made


def _compiled(code: UserCode) -> Code:
    """The function of a script; one in Python may yield its tests too."""
    if not is_python(code.source):
        return compile_code(code, _ROLE)
    function = load_function(code.source, code.base_path, _ROLE.python_function)

    @functools.wraps(function)
    def listing(*arguments: Json) -> Any:
        made = function(*arguments)
        return list(made) if isinstance(made, Iterator) else made

    return NamedCode(PythonCode(listing, _ROLE.name, _ROLE.parameters), _ROLE.name)

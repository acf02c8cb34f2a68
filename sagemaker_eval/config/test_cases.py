"""One test: checked, merged with `defaultTest` and the command line, its files read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sagemaker_eval.config.assertion_specs import build_assertions
from sagemaker_eval.config.explaining import KeyProblem, check, misshapen, not_yet_supported
from sagemaker_eval.config.file_values import variable_value
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.references import is_reference
from sagemaker_eval.config.schema import TestEntry, TestOptions
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import EMPTY, Json, Place, TestCase


@dataclass(frozen=True, slots=True)
class TestContext:
    """What all tests of a suite share. `default` has the config's metadata; `forced` variables win over a test's."""

    __test__ = False

    assertion_types: tuple[str, ...]
    base_path: str
    default: TestCase = field(default_factory=TestCase)
    forced: Mapping[str, Json] = field(default_factory=dict)
    csv_delimiter: str = ","


def build_test(raw: Json, where: Place, context: TestContext) -> TestCase:
    """The test that `raw` describes, merged as promptfoo merges (defaults first). Raises `ConfigError`."""
    own = read_test(raw, where, context)
    if not raw:
        raise ConfigError.of("the test is empty", where, "give it `vars`, `assert` or both")
    return merged(own, context)


def merged(own: TestCase, context: TestContext) -> TestCase:
    """A test over what all tests start from, under the variables of the command line."""
    default = context.default
    return TestCase(
        description=own.description,
        vars={**default.vars, **own.vars, **context.forced},
        assertions=default.assertions + own.assertions,
        threshold=default.threshold if own.threshold is None else own.threshold,
        metadata={**default.metadata, **own.metadata},
        options={**default.options, **own.options},
        where=own.where,
    )


def read_test(raw: Json, where: Place, context: TestContext) -> TestCase:
    """A test, or `defaultTest`, by itself."""
    if not isinstance(raw, Mapping):
        raise misshapen("a map", raw, where)
    problems = Problems()
    entry = problems.attempt(lambda: check(TestEntry, raw, where))
    variables = problems.attempt(lambda: _variables(raw.get("vars"), within(where, "vars"), context.base_path))
    options = problems.attempt(lambda: _options(raw.get("options"), within(where, "options")))
    assertions = problems.attempt(
        lambda: build_assertions(raw.get("assert"), within(where, "assert"), context.assertion_types, context.base_path)
    )
    problems.check()
    assert entry is not None
    return TestCase(
        description=entry.description,
        vars=variables or EMPTY,
        assertions=assertions or (),
        threshold=entry.threshold,
        metadata=entry.metadata or EMPTY,
        options=options or EMPTY,
        where=where,
    )


def read_default_test(
    raw: Json, where: Place, context: TestContext, metadata: Mapping[str, Json], notice: Callable[[str], None]
) -> TestCase:
    """`defaultTest` (None where absent) over the config's own metadata: what every test starts from."""
    if isinstance(raw, str):
        raise ConfigError.of("`defaultTest` from a file is not yet supported", where, "write it out as a map")
    test = TestCase() if raw is None else read_test(raw, where, context)
    if test.description is not None:
        notice("`description` has no effect in `defaultTest`: tests do not inherit it")
    return TestCase(
        vars=test.vars,
        assertions=test.assertions,
        threshold=test.threshold,
        metadata={**metadata, **test.metadata},
        options=test.options,
    )


def _variables(raw: Json, where: Place, base_path: str) -> Mapping[str, Json]:
    if raw is None:
        return EMPTY
    if isinstance(raw, str | list):
        raise ConfigError.of("`vars` from files are not yet supported", where, "write them out as a map")
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


def _looks_like_assertions(value: Json) -> bool:
    """Whether the value of a variable called `assert` is what belongs one level up."""
    return isinstance(value, list) and any(isinstance(item, Mapping) and "type" in item for item in value)


def _options(raw: Json, where: Place) -> Mapping[str, Json]:
    """The options that are set, `disableVarExpansion` and `repeat` with their types."""
    if raw is None:
        return EMPTY
    problems = Problems()
    known = problems.attempt(lambda: check(TestOptions, raw, where))
    for key in sorted(TestOptions.later.intersection(raw)) if isinstance(raw, Mapping) else ():
        if not _is_embedding_choice(key, raw[key]):
            problems.keep(not_yet_supported(key, within(where, key)))
    problems.check()
    assert known is not None
    return {key: value for key, value in known.model_dump(by_alias=True).items() if value is not None}


def _is_embedding_choice(key: str, value: Json) -> bool:
    """Whether an option only names the embedding endpoint of similarity assertions.

    It decides nothing for any other assertion, so that it can stand in a configuration without being passed over.
    """
    return key == "provider" and isinstance(value, Mapping) and set(value) == {"embedding"}


def forced_variables(variables: Mapping[str, str]) -> Mapping[str, Json]:
    """The variables of the command line, whose `file://` values are relative to the working folder."""
    return {name: variable_value(value, ".", Place(f"--var {name}")) for name, value in variables.items()}

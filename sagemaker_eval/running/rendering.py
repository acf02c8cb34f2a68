"""From a case to the prompt that is sent: code among the variables, prompt functions, prefix and suffix, templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.errors import ConfigError, RenderError, ScriptError
from sagemaker_eval.model import EMPTY, Case, Column, Json, Prompt, TestCase, UserCode, compact_json
from sagemaker_eval.text.code import Code, Role, compile_code
from sagemaker_eval.text.javascript.script import UNDEFINED
from sagemaker_eval.text.python_programs import compile_prompt_function
from sagemaker_eval.text.templating.templates import PromptTemplate, Templates

VARIABLE = Role("variable", ("varName", "prompt", "vars", "provider"), python_function="get_var")

CONVERSATION = "_conversation"

_ENDS = ("prefix", "suffix")
_KEPT = 256


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a provider is asked. `vars` are as templates and assertions see them.

    `resolved` are the row's variables with code replaced by what it returned: what is on record. `config` is the
    prompt's, under the test's options.
    """

    prompt: str
    vars: Mapping[str, Json]
    resolved: Mapping[str, Json]
    config: Mapping[str, Json] = field(default_factory=dict)


class Renderer:
    """Renders the cases of one run. Everything that can be compiled is compiled once."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._plain: dict[str, PromptTemplate] = {}
        self._functions: dict[str, Code] = {}
        self._compiled = lru_cache(_KEPT)(templates.prompt)
        self._variable_code = lru_cache(_KEPT)(_variable_code)

    def check_prompt(self, prompt: Prompt) -> None:
        """Raise `ConfigError` for a prompt that can never be rendered: its template, or its function."""
        if prompt.function is None:
            self._template_of(prompt)
        else:
            self._function_of(prompt, prompt.function)

    def check_test(self, test: TestCase, prompts: Iterable[Prompt]) -> None:
        """Raise `ConfigError` for code among a test's variables, and for a prefix or suffix that breaks a prompt."""
        problems = Problems()
        for value in test.vars.values():
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, UserCode):
                    problems.attempt(lambda code=item: self._variable_code(code))  # type: ignore[misc]
        if any(test.options.get(end) for end in _ENDS):
            for text in (_surrounded(prompt.raw, test) for prompt in prompts if prompt.function is None):
                problems.attempt(lambda text=text: self._compiled(text, test.where))  # type: ignore[misc]
        problems.check()

    def converses(self, case: Case) -> bool:
        """Whether a case's prompt speaks of the conversation so far, so that the case is a turn of it."""
        prompt = case.column.prompt
        if prompt.function is not None:
            return CONVERSATION in prompt.raw
        return CONVERSATION in self._template_of(prompt).variables

    async def render(self, case: Case, more: Mapping[str, Json] = EMPTY) -> Rendered:
        """The prompt of a case; `more` are variables that the run has made. Raises `RenderError`, `ScriptError`."""
        row, prompt = case.row, case.column.prompt
        resolved = await self._resolved(row.vars, case.column)
        values = {**resolved, **more}
        config: Mapping[str, Json] = prompt.config
        if prompt.function is not None:
            template, config = await self._made(prompt.function, case, values)
        elif row.test.options and any(row.test.options.get(end) for end in _ENDS):
            template = self._between(case)
        else:
            template = self._template_of(prompt)
        variables = self._templates.expand(values)
        if row.test.options:
            config = {**config, **row.test.options}
        return Rendered(template.render(variables), variables, resolved, config)

    def _template_of(self, prompt: Prompt) -> PromptTemplate:
        template = self._plain.get(prompt.id)
        if template is None:
            template = self._plain[prompt.id] = self._templates.prompt(
                prompt.raw, prompt.where, whole_file=prompt.whole_file
            )
        return template

    def _function_of(self, prompt: Prompt, code: UserCode) -> Code:
        function = self._functions.get(prompt.id)
        if function is None:
            function = self._functions[prompt.id] = compile_prompt_function(code)
        return function

    async def _resolved(self, variables: Mapping[str, Json], column: Column) -> Mapping[str, Json]:
        """The variables with code replaced by what it returns, in their order: each sees those before it."""
        coded = [name for name, value in variables.items() if isinstance(value, UserCode)]
        if not coded:
            return variables
        values = dict(variables)
        for name in coded:
            seen = {key: value for key, value in values.items() if not isinstance(value, UserCode)}
            made = await self._variable_code(values[name]).acall(name, column.prompt.raw, seen, _provider_view(column))
            values[name] = _variable(name, made)
        return values

    async def _made(
        self, code: UserCode, case: Case, variables: Mapping[str, Json]
    ) -> tuple[PromptTemplate, Mapping[str, Json]]:
        """The template that a prompt function makes, and the prompt's config with what the function adds to it."""
        prompt = case.column.prompt
        context = {"vars": dict(variables), "provider": _provider_view(case.column), "config": dict(prompt.config)}
        text, added = _prompt_text(await self._function_of(prompt, code).acall(context), prompt)
        return self._at_run_time(text, f"the prompt that `{prompt.label}` made"), {**prompt.config, **added}

    def _between(self, case: Case) -> PromptTemplate:
        """The template between the test's `prefix` and `suffix`, which make plain text of a JSON prompt."""
        return self._at_run_time(
            _surrounded(case.column.prompt.raw, case.row.test), "the prompt with prefix and suffix"
        )

    def _at_run_time(self, text: str, what: str) -> PromptTemplate:
        try:
            return self._compiled(text)
        except ConfigError as error:
            problem = error.problems[0]
            raise RenderError(f"{what}: {problem.message}", problem.hint) from error


def _variable_code(code: UserCode) -> Code:
    return compile_code(code, VARIABLE)


def _surrounded(raw: str, test: TestCase) -> str:
    prefix, suffix = (test.options.get(end) or "" for end in _ENDS)
    return f"{prefix}{raw}{suffix}"


def _provider_view(column: Column) -> dict[str, Json]:
    return {"id": column.provider.id, "label": column.provider.label or ""}


def _variable(name: str, made: Json) -> Json:
    """What a variable's code gave: `{output}`, as promptfoo has it, or the value itself."""
    if isinstance(made, dict) and made.get("error"):
        raise ScriptError(f"variable `{name}`: {made['error']}")
    value = made.get("output") if isinstance(made, dict) and "output" in made else made
    if value is None or value is UNDEFINED:
        raise ScriptError(f"the code of variable `{name}` returned nothing", "return an object with `output`")
    return value.strip() if isinstance(value, str) else value


def _prompt_text(made: Json, prompt: Prompt) -> tuple[str, Mapping[str, Json]]:
    """(template, added config) out of what a prompt function returned."""
    if isinstance(made, str):
        return made, EMPTY
    if isinstance(made, dict) and "prompt" in made:
        text, config = made["prompt"], made.get("config")
        return text if isinstance(text, str) else compact_json(text), config if isinstance(config, dict) else EMPTY
    if isinstance(made, dict | list):
        return compact_json(made), EMPTY
    what = "nothing" if made is None or made is UNDEFINED else f"`{made}`"
    raise ScriptError(
        f"the prompt function `{prompt.label}` returned {what}", "return text, chat messages or an object"
    )

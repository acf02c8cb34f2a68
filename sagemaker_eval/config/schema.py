"""The objects of a configuration file, field by field, under the names that the file uses (camelCase).

A value that may have several shapes (text, list or map) is only documented here; the module that reads it sorts the
shapes, so that a message never speaks of a shape that the user did not mean. Those of a provider are in
`provider_schema`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from sagemaker_eval.config import keys
from sagemaker_eval.config.entry import Entry, Map
from sagemaker_eval.config.fields import (
    Count,
    Filled,
    NotNegative,
    Number,
    ScriptReference,
    Shapes,
    Share,
    WholeNotNegative,
)
from sagemaker_eval.config.option_fields import CellLength, Pairs, Pattern, Range, Texts
from sagemaker_eval.config.provider_schema import (
    AsyncEntry,
    ContainerConfig,
    ModelConfig,
    ProviderEntry,
    ResponseFormat,
    SageMakerConfig,
    SageMakerEnvironment,
)
from sagemaker_eval.model import Json

__all__ = [
    "AssertionEntry",
    "AsyncEntry",
    "CommandLineOptions",
    "ConfigEntry",
    "ContainerConfig",
    "DerivedMetricEntry",
    "Entry",
    "EvaluateOptions",
    "FactualityScores",
    "ModelConfig",
    "PromptEntry",
    "ProviderEntry",
    "ResponseFormat",
    "SageMakerConfig",
    "SageMakerEnvironment",
    "ScenarioEntry",
    "TestEntry",
    "TestGeneratorEntry",
    "TestOptions",
]


class PromptEntry(Entry):
    """A prompt as an object. `raw` is its text or `file://` path; without it `id` is."""

    where_it_stands = "in a prompt"

    id: Filled | None = None
    label: Filled | None = None
    raw: str | None = None
    config: Map | None = None


GraderChoice = str | ProviderEntry | dict[str, str | ProviderEntry]
"""A provider, or one for each of the roles text, embedding, classification and moderation."""

RubricPrompt = str | list[Json] | Map


class AssertionEntry(Entry):
    """One element of a test's `assert`."""

    where_it_stands = "in an assertion"

    type: str
    value: Json = None
    threshold: Number | None = None
    weight: NotNegative | None = None
    metric: str | None = None
    config: Map | None = None
    provider: Annotated[Json, Shapes(GraderChoice | None)] = None
    rubric_prompt: Annotated[Json, Shapes(RubricPrompt | None)] = None
    votes: Count | None = None
    transform: Filled | None = None
    context_transform: Filled | None = None
    assert_: Annotated[Json, Shapes(list[Map] | None)] = Field(default=None, alias="assert")


class FactualityScores(Entry):
    """The score of each finding of a factuality grader."""

    where_it_stands = "in `factuality`"

    subset: Number | None = None
    superset: Number | None = None
    agree: Number | None = None
    disagree: Number | None = None
    differ_but_factual: Number | None = None


class TestOptions(Entry):
    """The `options` of a test; keys beyond these are free."""

    __test__: ClassVar[bool] = False

    model_config = ConfigDict(extra="allow")
    where_it_stands = "in the `options` of a test"

    prefix: str | None = None
    suffix: str | None = None
    transform: Filled | None = None
    postprocess: Filled | None = None
    transform_vars: Filled | None = None
    store_output_as: Filled | None = None
    disable_var_expansion: bool | None = None
    disable_conversation_var: bool | None = None
    disable_default_asserts: bool | None = None
    run_serially: bool | None = None
    repeat: Count | None = None
    provider: Annotated[Json, Shapes(GraderChoice | None)] = None
    rubric_prompt: Annotated[Json, Shapes(RubricPrompt | None)] = None
    factuality: FactualityScores | None = None


class TestEntry(Entry):
    """A test, and `defaultTest`."""

    __test__: ClassVar[bool] = False

    where_it_stands = "in a test"

    description: str | None = None
    vars: Annotated[Json, Shapes(Map | str | list[str] | None)] = None
    assert_: Annotated[Json, Shapes(list[AssertionEntry] | None)] = Field(default=None, alias="assert")
    threshold: Number | None = None
    options: Annotated[Json, Shapes(TestOptions | None)] = None
    metadata: Map | None = None
    provider: Annotated[Json, Shapes(str | ProviderEntry | dict[str, ProviderEntry] | None)] = None
    providers: list[Filled] | None = None
    prompts: list[Filled] | None = None
    provider_output: Annotated[Json, Shapes(str | Map | None)] = None
    assert_scoring_function: ScriptReference | None = None


class TestGeneratorEntry(Entry):
    """A source of tests with what its function is called with."""

    __test__: ClassVar[bool] = False

    where_it_stands = "in a source of tests"

    path: Filled
    config: Annotated[Json, Shapes(Map | str | None)] = None


class ScenarioEntry(Entry):
    """Data sets and the tests that each of them is put to. Both may be, or hold, `file://` paths."""

    where_it_stands = "in a scenario"

    description: str | None = None
    config: Annotated[Json, Shapes(str | list[str | TestEntry] | None)] = None
    tests: Annotated[Json, Shapes(str | list[str | TestEntry] | None)] = None


class EvaluateOptions(Entry):
    """How to run. Times are in ms. `delay` goes to providers that set none; a time limit of 0 is none."""

    where_it_stands = "in `evaluateOptions`"

    max_concurrency: Count | None = None
    repeat: Count | None = None
    delay: WholeNotNegative | None = None
    cache: bool | None = None
    show_progress_bar: bool | None = None
    filter_range: Range | None = None
    timeout_ms: WholeNotNegative | None = None
    max_eval_time_ms: WholeNotNegative | None = None


class CommandLineOptions(Entry):
    """Defaults for options of the command line; they come before `evaluateOptions`."""

    where_it_stands = "in `commandLineOptions`"
    later = keys.LATER_COMMAND_LINE_OPTIONS

    max_concurrency: Count | None = None
    repeat: Count | None = None
    delay: WholeNotNegative | None = None
    cache: bool | None = None
    description: str | None = None
    tags: Map | None = None
    var: Map | None = None
    output: Annotated[Json, Shapes(str | list[str] | None)] = None
    env_path: Texts | None = None
    env_file: Texts | None = None
    prompt_prefix: str | None = None
    prompt_suffix: str | None = None
    table: bool | None = None
    table_cell_max_length: CellLength | None = None
    progress_bar: bool | None = None
    write: bool | None = None
    verbose: bool | None = None
    grader: Filled | None = None
    filter_pattern: Pattern | None = None
    filter_first_n: Count | None = None
    filter_range: Range | None = None
    filter_sample: Count | None = None
    filter_sample_seed: WholeNotNegative | None = None
    filter_providers: Pattern | None = None
    filter_targets: Pattern | None = None
    filter_prompts: Pattern | None = None
    filter_metadata: Pairs | None = None
    filter_failing: Filled | None = None
    filter_errors_only: Filled | None = None


class DerivedMetricEntry(Entry):
    """A figure of each column, computed from its named scores."""

    where_it_stands = "in a derived metric"

    name: Filled
    value: Filled


Prompts = str | list[str | PromptEntry] | dict[str, str]
Providers = str | list[str | ProviderEntry | dict[str, ProviderEntry]]


class ConfigEntry(Entry):
    """The whole document, without `x-` keys and those that are out of scope."""

    where_it_stands = "at the top level"
    later = keys.LATER_TOP_LEVEL

    description: str | None = None
    tags: Map | None = None
    prompts: Annotated[Json, Shapes(Prompts | None)] = None
    providers: Annotated[Json, Shapes(Providers | None)] = None
    targets: Annotated[Json, Shapes(Providers | None)] = None
    tests: Annotated[Json, Shapes(str | list[str | TestEntry] | None)] = None
    default_test: Annotated[Json, Shapes(str | TestEntry | None)] = None
    scenarios: Annotated[Json, Shapes(str | list[str | ScenarioEntry] | None)] = None
    evaluate_options: EvaluateOptions | None = None
    command_line_options: CommandLineOptions | None = None
    max_error_rate: Share | None = None
    env: Annotated[Json, Shapes(dict[str, str | float | bool | None] | None)] = None
    cache: bool | None = None
    output_path: Annotated[Json, Shapes(str | list[str] | None)] = None
    metadata: Map | None = None
    nunjucks_filters: Annotated[Json, Shapes(dict[str, str] | None)] = None
    filters: Annotated[Json, Shapes(dict[str, str] | None)] = None
    derived_metrics: Annotated[Json, Shapes(list[DerivedMetricEntry] | None)] = None
    plugins: list[Filled] | None = None

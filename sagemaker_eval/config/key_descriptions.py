"""What each key of a configuration means, in the one or two sentences that an editor shows beside it."""

from __future__ import annotations

from collections.abc import Mapping

from sagemaker_eval.config.schema import (
    AssertionEntry,
    AsyncEntry,
    CommandLineOptions,
    ConfigEntry,
    DerivedMetricEntry,
    Entry,
    EvaluateOptions,
    FactualityScores,
    ModelConfig,
    PromptEntry,
    ProviderEntry,
    ResponseFormat,
    SageMakerConfig,
    ScenarioEntry,
    TestEntry,
    TestGeneratorEntry,
    TestOptions,
)

PASSED_OVER = "A key of promptfoo that has no effect on sageval."

_MOST_IN_FLIGHT = "Cases in flight for each provider; 4 where nothing says otherwise."
_REPEAT = "How often every test is asked; each repetition is an answer of its own."
_CONCURRENCY = "Cases of this provider in flight, a lower cap than the run's; `auto` finds what the endpoint can do."
_MARK = "May be a template over the test's variables."
_DELAY = "Least time in ms between the starts of two calls of one provider, for providers that set none."
_CACHE = "Whether answers are kept and used again; true where nothing says otherwise."
_PROVIDERS = (
    "Who answers, one column for each prompt: a list of ids such as `sagemaker:openai:my-endpoint`, or of maps."
)
_GRADER = "Who judges: a provider, or one for each of `text`, `embedding`, `classification` and `moderation`."
_RUBRIC_PROMPT = "The prompt for the grader instead of ours: text, chat messages, or a `file://` name."
_TRANSFORM = (
    "Code that makes the request of a rendered prompt: inline JavaScript, `file://x.js[:fn]` or `file://x.py[:fn]`."
)
_RESPONSE_TRANSFORM = (
    "Code that makes the output of what was read from an answer: inline JavaScript, or a `file://` script."
)
_ENV_FILE = "Files of environment variables, as `--env-file`."
_PROGRESS = "Whether progress is shown on stderr."
_RANGE = "`start:end`: tests from the one up to but without the other, from 0."
_FILTER_PROVIDERS = "A regular expression: providers whose id or label matches."
_KEY_PAIR = "Better left to the AWS credential chain; an `{{env.NAME}}` keeps it out of the file."

DESCRIPTIONS: Mapping[type[Entry], Mapping[str, str]] = {
    ConfigEntry: {
        "description": "What the run is about; kept in its record.",
        "tags": "Your own labels of the run; kept in its record.",
        "prompts": "Prompt templates or paths to them: a text, a list to compare, or a map from texts to labels.",
        "providers": _PROVIDERS,
        "targets": "Another name for `providers`; only one of the two may stand.",
        "tests": "Tests, or paths to files of them. Without this key there is one test without variables.",
        "defaultTest": "What every test starts from: its variables, assertions and options.",
        "evaluateOptions": "How to run.",
        "commandLineOptions": "Defaults for options of the command line; they come before `evaluateOptions`.",
        "maxErrorRate": "Share of errored cases, 0 to 1 or as `5%`, up to which the run does not end with exit code 3.",
        "env": "Environment variables of the run, for templates (`{{env.NAME}}`) and for AWS.",
        "cache": _CACHE,
        "outputPath": "Files to write the results to, where no `-o` says otherwise; the ending picks the format.",
        "metadata": "Metadata that every test inherits.",
        "scenarios": "Data sets, and the tests that each of them is put to.",
        "nunjucksFilters": "Filters of your own for templates: their names, and the files of their functions.",
        "filters": "Filters of your own in Python: their names, and `file://x.py[:fn]` or `python: …`.",
        "derivedMetrics": "Figures of each column, computed from its named scores.",
        "plugins": "Python files that add assertion types and model types of your own.",
    },
    PromptEntry: {
        "raw": "The template, or the `file://` path to it.",
        "id": "A name for references to this prompt; where there is no `raw`, the prompt itself.",
        "label": "The prompt's name in tables, for filters and for a provider's `prompts`.",
        "config": "Settings that go with this prompt.",
    },
    ProviderEntry: {
        "id": "`sagemaker:<endpoint>`, `sagemaker:<model type>:<endpoint>`, `container:<url>`, `file://x.py`, `echo`.",
        "label": "The name of the column; two providers may not have the same.",
        "config": "Where the endpoint is and how it is asked; of a provider in Python, whatever it needs.",
        "delay": "Least time in ms between the starts of two calls of this provider.",
        "maxConcurrency": f"{_CONCURRENCY} That of the provider wins over that of its `config`.",
        "transform": f"{_TRANSFORM} Of providers that are neither endpoints nor containers: code for the output.",
        "responseTransform": _RESPONSE_TRANSFORM,
        "env": "Environment variables for this provider alone.",
        "inputs": "A key of promptfoo's for red teams; it has no effect.",
        "prompts": "Labels or ids of the prompts that this provider gets; `name*` is all that begin so. Default: all.",
    },
    ModelConfig: {
        "modelType": "How a request is written and an answer read; the type in the id wins.",
        "maxTokens": "Most tokens of an answer. Default: AWS_SAGEMAKER_MAX_TOKENS, 1024.",
        "temperature": "Randomness; 0 is greedy. Default: AWS_SAGEMAKER_TEMPERATURE, 0.7.",
        "topP": "Nucleus sampling, above 0 and up to 1. Default: AWS_SAGEMAKER_TOP_P, 1.",
        "stopSequences": "Texts at which an answer ends.",
        "contentType": "Media type of the request; `application/json` by default.",
        "acceptType": "Media type that is asked for; `application/json` by default.",
        "delay": "As `delay` of the provider, which wins.",
        "responseFormat": "Where the output is in an answer, if not where the model type has it.",
        "maxRetries": "Further calls after a fault that may pass; 0 for none. Default: AWS_SAGEMAKER_MAX_RETRIES, 3.",
        "timeoutMs": "Time limit of one call in ms; 80000 by default. SageMaker itself gives a model 60 s.",
        "transform": f"{_TRANSFORM} That of the provider wins.",
        "responseTransform": _RESPONSE_TRANSFORM,
        "chat": "Send plain text as one chat message.",
        "stream": "Have the answer streamed: the time to its first token is measured.",
        "maxConcurrency": f"{_CONCURRENCY} That of the provider wins.",
        "requestsPerSecond": "Most starts of calls in a second, over all providers and graders that ask this endpoint.",
        "tokensPerMinute": "Most tokens in a minute, sent and answered, over all that ask this endpoint.",
        "warmUp": "Seconds to wait for an endpoint at zero or loading its model; `true`, the default, is 900.",
        "revision": "A name for what is deployed: another one asks anew, past the answers in the cache.",
    },
    AsyncEntry: {
        "bucket": "Where requests are put: a bucket's name, or `s3://bucket/prefix`. Without it they go inline.",
        "prefix": "The beginning of their keys in the bucket; `sageval/` by default.",
        "pollMs": "Time in ms between two looks for an answer; 1000 by default.",
        "timeoutMs": "How long an answer is waited for, in ms; 3600000 by default.",
        "requestTtlSeconds": "How long SageMaker keeps a request in its queue, 60 to 21600.",
        "invocationTimeoutSeconds": "How long the model may take, 1 to 3600; SageMaker's default is 900.",
    },
    SageMakerConfig: {
        "endpoint": "The endpoint that is called; that of the id where it is left out.",
        "region": "Where the endpoint is. Default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, `us-east-1`.",
        "accessKeyId": f"AWS access key; needs `secretAccessKey` beside it. {_KEY_PAIR}",
        "secretAccessKey": f"AWS secret key; needs `accessKeyId` beside it. {_KEY_PAIR}",
        "sessionToken": f"Token of temporary AWS keys. {_KEY_PAIR}",
        "profile": "A profile of `~/.aws/config`, SSO and assumed roles included.",
        "endpointUrl": "Another address of SageMaker Runtime: a VPC endpoint, a gateway.",
        "roleArn": "A role to assume with these credentials.",
        "externalId": "What the role asks for; needs `roleArn` beside it.",
        "inferenceComponentName": f"Which inference component of the endpoint answers. {_MARK}",
        "targetVariant": f"Which production variant answers, whatever their weights. {_MARK}",
        "variants": "Production variants to compare: one column for each, whose calls go to that variant alone.",
        "targetModel": f"Which model of a multi-model endpoint answers, as its file in S3. {_MARK}",
        "targetContainerHostname": f"Which container of a multi-container endpoint answers. {_MARK}",
        "customAttributes": f"What the container gets beside the request: text, or a map of `name=value`. {_MARK}",
        "inferenceId": f"Marks the call in data capture. {_MARK}",
        "sessionId": f"The session of a stateful endpoint, or `NEW_SESSION`. {_MARK}",
        "prefixAwareId": f"Calls with the same one go where their common prefix is cached. {_MARK}",
        "enableExplanations": f"Whether SageMaker Clarify explains: true, false or a JMESPath expression. {_MARK}",
        "async": "Ask by InvokeEndpointAsync: `true`, or a map that says where requests go.",
        "transport": "`openai` asks over the endpoint's own path for chat completions; `sagemaker` is the default.",
        "instanceHourlyUsd": "The price of one hour of one instance, for costs without the AWS price list.",
    },
    ResponseFormat: {
        "path": "A JSONPath such as `$.choices[0].text`, or code that gets the answer as `json`.",
        "type": "Accepted, and without effect.",
    },
    TestEntry: {
        "description": "The name of the test, for `--filter-pattern`.",
        "vars": "Variables of the prompt's templates. A list of texts makes one row for each; `file://` reads a file.",
        "assert": "What must hold of an answer. Beside `vars`, not inside it.",
        "threshold": "The test passes when its score reaches it; without one when every assertion holds.",
        "metadata": "Yours, for `--filter-metadata` and the results.",
        "options": "How this test is run; further keys are free.",
        "provider": "Who answers this test, in every column: an id, a label or a map.",
        "providers": "Labels or ids of the providers that get this test; `name*` is all that begin so. Default: all.",
        "prompts": "Labels or ids of the prompts that get this test; `name*` is all that begin so. Default: all.",
        "providerOutput": "An output to judge instead of asking anybody.",
        "assertScoringFunction": "A `file://` script that makes one score of those of the assertions.",
    },
    TestOptions: {
        "prefix": "Text before each prompt.",
        "suffix": "Text after each prompt.",
        "transform": "Code that makes another output of the output, before it is judged.",
        "postprocess": "Another name for `transform`.",
        "transformVars": "Code that makes other variables of the variables, before they are expanded.",
        "storeOutputAs": "The name of a variable that holds this test's output in all later tests.",
        "disableConversationVar": "Leave `_conversation`, the turns so far, out of the templates.",
        "disableDefaultAsserts": "Do without the assertions of `defaultTest`.",
        "runSerially": "Run this test before all others, one case at a time.",
        "disableVarExpansion": "Hand lists to the template as lists, instead of making a row of each element.",
        "repeat": "How often this test is asked.",
        "provider": _GRADER,
        "rubricPrompt": _RUBRIC_PROMPT,
        "factuality": "The score of each finding of `factuality`; 1 for all but `disagree` where nothing else is said.",
    },
    FactualityScores: {
        "subset": "The output says less than the reference, and nothing else.",
        "superset": "The output says more than the reference, and nothing against it.",
        "agree": "The output says the same as the reference.",
        "disagree": "The output contradicts the reference.",
        "differButFactual": "The two differ in ways that do not matter.",
    },
    DerivedMetricEntry: {
        "name": "What the figure is called among the named scores of a column.",
        "value": "Arithmetic over sums of named scores and `__count`, the number of cases: `2 * p * r / (p + r)`.",
    },
    AssertionEntry: {
        "type": "The kind of assertion; `not-` before it turns it round.",
        "value": "What is expected; templates in it see the test's variables. Its form depends on the type.",
        "threshold": "A limit, whose meaning depends on the type: ms for `latency`.",
        "weight": "Share in the test's score, 1 by default; one of weight 0 is reported and never fails a test.",
        "metric": "Adds the score under this name to the results.",
        "config": "Settings that go with this assertion.",
        "provider": _GRADER,
        "rubricPrompt": _RUBRIC_PROMPT,
        "votes": "How often a grader is asked; the majority decides, and a tie fails.",
        "transform": "Code that makes another output of the output, for this assertion alone.",
        "contextTransform": "Code that takes the context of a retrieval assertion out of the output.",
        "assert": "The assertions of an `assert-set`.",
    },
    EvaluateOptions: {
        "maxConcurrency": _MOST_IN_FLIGHT,
        "repeat": _REPEAT,
        "delay": _DELAY,
        "cache": _CACHE,
        "showProgressBar": _PROGRESS,
        "filterRange": _RANGE,
        "timeoutMs": "Time limit of each case in ms, for answering and judging; none where nothing says otherwise.",
        "maxEvalTimeMs": "Time limit of the whole run in ms, as `--max-time`; none where nothing says otherwise.",
    },
    CommandLineOptions: {
        "maxConcurrency": _MOST_IN_FLIGHT,
        "repeat": _REPEAT,
        "delay": _DELAY,
        "cache": _CACHE,
        "description": "What the run is about, where the top level does not say it.",
        "tags": "Your own labels of the run.",
        "var": "Variables that every test gets.",
        "output": "Files to write the results to, as `-o`.",
        "envPath": _ENV_FILE,
        "envFile": _ENV_FILE,
        "promptPrefix": "Text before every prompt.",
        "promptSuffix": "Text after every prompt.",
        "table": "Whether the table is shown.",
        "tableCellMaxLength": "Characters of an answer that the table shows; at least 10.",
        "progressBar": _PROGRESS,
        "write": "Whether a record of the run is kept.",
        "grader": "Who judges where neither the test nor the assertion says: a provider's id or label.",
        "verbose": "Whether the debug log goes to stderr.",
        "filterPattern": "A regular expression: tests whose description matches.",
        "filterFirstN": "The first so many tests.",
        "filterRange": _RANGE,
        "filterSample": "So many tests drawn at random.",
        "filterSampleSeed": "Draws the same sample every time.",
        "filterProviders": _FILTER_PROVIDERS,
        "filterTargets": _FILTER_PROVIDERS,
        "filterPrompts": "A regular expression: prompts whose id or label matches.",
        "filterMetadata": "`name=value`, or a list of them: tests whose metadata has the value.",
        "filterFailing": "A run (id or latest) or a result file: tests that failed or errored there.",
        "filterErrorsOnly": "A run (id or latest) or a result file: tests that errored there.",
    },
    ScenarioEntry: {
        "description": "What the scenario is about.",
        "config": "The data sets, each like a test: a list, or a path after `file://`.",
        "tests": "The tests that each data set is put to: a list, or a path after `file://`.",
    },
    TestGeneratorEntry: {
        "path": "The file of tests, or the script that makes them.",
        "config": "What the script's function is called with.",
    },
}


def described_keys(entry: type[Entry]) -> Mapping[str, str]:
    """What each key of an entry means, those that it has from its bases included."""
    return {key: text for base in reversed(entry.__mro__) for key, text in DESCRIPTIONS.get(base, {}).items()}

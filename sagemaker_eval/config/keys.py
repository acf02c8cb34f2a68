"""Keys and types that promptfoo or later versions of sageval know, and that this one refuses or passes over.

A key that would change what is asked or judged is refused ("not yet supported"); a key of promptfoo that has nothing
to do with running an evaluation is passed over with one notice.
"""

from __future__ import annotations

OUT_OF_SCOPE = frozenset({"redteam", "sharing", "strategies", "tracing", "writeLatestResults"})

LATER_TOP_LEVEL = frozenset({"derivedMetrics", "extensions", "filters", "nunjucksFilters", "plugins", "scenarios"})

LATER_EVALUATE_OPTIONS = frozenset(
    {"filterRange", "generateSuggestions", "maxEvalTimeMs", "silent", "suggestionsCount", "timeoutMs"}
)

LATER_COMMAND_LINE_OPTIONS = frozenset(
    {
        "assertions",
        "config",
        "description",
        "env",
        "envFile",
        "envPath",
        "extension",
        "filterErrorsOnly",
        "filterFailing",
        "filterFailingOnly",
        "filterFirstN",
        "filterMetadata",
        "filterPattern",
        "filterPrompts",
        "filterProviders",
        "filterRange",
        "filterSample",
        "filterSampleSeed",
        "filterTargets",
        "generateSuggestions",
        "grader",
        "modelOutputs",
        "output",
        "progressBar",
        "promptPrefix",
        "promptSuffix",
        "prompts",
        "providers",
        "remote",
        "resume",
        "retryErrors",
        "share",
        "suggestPrompts",
        "suggestionsCount",
        "table",
        "tableCellMaxLength",
        "tags",
        "tests",
        "var",
        "vars",
        "verbose",
        "watch",
        "write",
    }
)

LATER_PROVIDER = frozenset({"env", "inputs"})

LATER_SAGEMAKER_CONFIG = frozenset(
    {
        "async",
        "customAttributes",
        "enableExplanations",
        "externalId",
        "inferenceComponentName",
        "inferenceId",
        "instanceHourlyUsd",
        "prefixAwareId",
        "requestsPerSecond",
        "roleArn",
        "sessionId",
        "stream",
        "targetContainerHostname",
        "targetModel",
        "targetVariant",
        "tokensPerMinute",
        "variants",
        "warmUp",
    }
)

LATER_TEST = frozenset({"assertScoringFunction", "prompts", "provider", "providerOutput", "providers"})

LATER_TEST_OPTIONS = frozenset(
    {
        "disableConversationVar",
        "disableDefaultAsserts",
        "factuality",
        "postprocess",
        "prefix",
        "provider",
        "rubricPrompt",
        "runSerially",
        "storeOutputAs",
        "suffix",
        "transform",
        "transformVars",
    }
)

LATER_ASSERTION = frozenset({"contextTransform", "provider", "rubricPrompt", "transform"})

PROMPTFOO_ASSERTION_TYPES = frozenset(
    {
        "agent-rubric",
        "answer-relevance",
        "assert-set",
        "bleu",
        "classifier",
        "contains-all",
        "contains-any",
        "contains-html",
        "contains-json",
        "contains-sql",
        "contains-xml",
        "context-faithfulness",
        "context-recall",
        "context-relevance",
        "conversation-relevance",
        "cost",
        "equals",
        "factuality",
        "finish-reason",
        "g-eval",
        "gleu",
        "guardrails",
        "human",
        "icontains",
        "icontains-all",
        "icontains-any",
        "is-html",
        "is-json",
        "is-refusal",
        "is-sql",
        "is-valid-function-call",
        "is-valid-openai-function-call",
        "is-valid-openai-tools-call",
        "is-xml",
        "javascript",
        "latency",
        "levenshtein",
        "llm-rubric",
        "max-score",
        "meteor",
        "model-graded-closedqa",
        "model-graded-factuality",
        "moderation",
        "perplexity",
        "perplexity-score",
        "pi",
        "python",
        "regex",
        "rouge-n",
        "ruby",
        "search-rubric",
        "select-best",
        "similar",
        "similar:cosine",
        "similar:dot",
        "similar:euclidean",
        "skill-used",
        "starts-with",
        "tool-call-f1",
        "trace-error-spans",
        "trace-span-count",
        "trace-span-duration",
        "trajectory:goal-success",
        "trajectory:step-count",
        "trajectory:tool-args-match",
        "trajectory:tool-sequence",
        "trajectory:tool-used",
        "webhook",
        "word-count",
    }
)
"""Every type that promptfoo knows; one that the registry of assertions lacks is refused as not yet supported."""

"""Keys and types that promptfoo or later versions of sageval know, and that this one refuses or passes over.

A key that would change what is asked or judged is refused ("not yet supported"); a key of promptfoo that has nothing
to do with running an evaluation is passed over with one notice.
"""

from __future__ import annotations

OUT_OF_SCOPE = frozenset({"redteam", "sharing", "strategies", "tracing", "writeLatestResults"})

LATER_TOP_LEVEL = frozenset({"extensions"})

LATER_COMMAND_LINE_OPTIONS = frozenset(
    {
        "assertions",
        "extension",
        "filterFailingOnly",
        "modelOutputs",
        "resume",
        "retryErrors",
    }
)

NO_EFFECT_EVALUATE_OPTIONS = frozenset({"generateSuggestions", "silent", "suggestionsCount"})
NO_EFFECT_COMMAND_LINE_OPTIONS = frozenset(
    {"generateSuggestions", "remote", "share", "suggestPrompts", "suggestionsCount", "watch"}
)
"""Options that are passed over with one notice: they ask for hosted services, or for more than one run."""

PROMPTFOO_ASSERTION_TYPES = frozenset(
    {
        "agent-rubric",
        "answer-relevance",
        "assert-set",
        "bleu",
        "classifier",
        "contains",
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

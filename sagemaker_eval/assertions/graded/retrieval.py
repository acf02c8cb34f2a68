"""Assertions on answers from retrieved passages: `context-recall`, `context-relevance`, `context-faithfulness`."""

from __future__ import annotations

import re

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, graded_by
from sagemaker_eval.assertions.graded.asking import Question, Unreadable, ask, chat, worded
from sagemaker_eval.assertions.graded.context import Context, context_reader, query_reader
from sagemaker_eval.assertions.graded.listings import attributions, decisions, statements, text_lines
from sagemaker_eval.assertions.graded.reading import answer_of
from sagemaker_eval.assertions.graded.thresholds import reached
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Verdict

RECALL_PROMPT = chat(
    system=(
        "You are shown passages and a reference answer. Go through the reference answer sentence by sentence, and "
        "decide for each whether the passages support it.\n\n"
        "Reply with one line for each sentence, and nothing else: the sentence, one short reason, and at the end "
        "[Attributed] if the passages support it, or [Not Attributed] if they do not."
    ),
    user="<passages>\n{{ context }}\n</passages>\n<reference>\n{{ groundTruth }}\n</reference>",
)

RELEVANCE_PROMPT = chat(
    system=(
        "You are shown passages and a question. Copy from the passages every sentence that helps to answer the "
        "question, word for word, one on each line. Change nothing, add nothing, number nothing.\n\n"
        "If no sentence helps, reply with these two words and nothing else: Insufficient Information"
    ),
    user="<question>\n{{ query }}\n</question>\n<passages>\n{{ context }}\n</passages>",
)

STATEMENTS_PROMPT = chat(
    system=(
        "You take the answer to a question apart. Write down each claim that it makes as a statement of its own, which "
        "can be understood alone: one statement on each line, and nothing else.\n\n"
        "If the answer makes no claim at all, reply with the single word NONE."
    ),
    user="<question>\n{{ question }}\n</question>\n<answer>\n{{ answer }}\n</answer>",
)

VERDICTS_PROMPT = chat(
    system=(
        "You are shown passages and numbered statements. Decide for each statement whether the passages support it. "
        "Only the passages count, not what you know.\n\n"
        "Reply with one line for each statement, and nothing else: its number, one short reason, and at the end Yes if "
        "the passages support it, or No if they do not. For example:\n"
        "1. The second passage gives this date. Yes\n"
        "2. No passage speaks of the price. No"
    ),
    user="<passages>\n{{ context }}\n</passages>\n<statements>\n{{ statements }}\n</statements>",
)

THRESHOLD = 0.5
NOTHING_NEEDED = "insufficient information"

_LEAST_COPIED = 12
"""Characters."""

_FOLDED = re.compile(r"\W+")

graded_by("context-recall", "text")
graded_by("context-relevance", "text")
graded_by("context-faithfulness", "text")


@ASSERTIONS.register("context-recall")
def context_recall(spec: AssertionSpec) -> Check:
    """The share of sentences in `value`, the true answer, that the context supports is at least `threshold` (0.5)."""
    truth, context_of = worded(spec, "the true answer", "The bridge opened in 1932."), context_reader(spec, True)

    async def check(subject: Subject) -> Verdict:
        context = await context_of(subject)
        variables = {"context": context.text, "groundTruth": truth(subject)}
        wanted = "one line for each sentence, which ends with [Attributed] or [Not Attributed]"
        reply = await ask(spec, subject, Question(RECALL_PROMPT, variables, attributions, wanted))
        found = reply.value
        more = f"the context supports {sum(found)} of {len(found)} sentences"
        return reached(spec, sum(found) / len(found), THRESHOLD, reply.usage, {"attributed": found}, more)

    return check


@ASSERTIONS.register("context-relevance")
def context_relevance(spec: AssertionSpec) -> Check:
    """The share of the context that helps to answer the variable `query` is at least `threshold` (0.5)."""
    context_of, query_of = context_reader(spec), query_reader(spec)

    async def check(subject: Subject) -> Verdict:
        query, context = query_of(subject), await context_of(subject)
        wanted = "sentences of the passages, word for word, one on each line, or the words Insufficient Information"

        def read(reply: str) -> list[str]:
            return relevant_units(reply, context)

        question = Question(RELEVANCE_PROMPT, {"context": context.text, "query": query}, read, wanted)
        reply = await ask(spec, subject, question)
        units, relevant = context.units, reply.value
        more = f"{len(relevant)} of {len(units)} parts of the context help to answer"
        metadata = {"relevant": relevant, "units": len(units)}
        return reached(spec, len(relevant) / len(units), THRESHOLD, reply.usage, metadata, more)

    return check


def relevant_units(reply: str, context: Context) -> list[str]:
    """The units of a context that a reply has copied, whole or in part. Raises `Unreadable` where there is none."""
    answer = answer_of(reply)
    if NOTHING_NEEDED in answer.lower():
        return []
    copied = {folded for line in text_lines(answer) if (folded := _folded(line))}
    units = [(unit, _folded(unit)) for unit in context.units]
    relevant = [unit for unit, folded in units if any(_is_copied(line, folded) for line in copied)]
    if not relevant:
        raise Unreadable("has no sentence of the passages")
    return relevant


def _is_copied(line: str, unit: str) -> bool:
    """Whether a line is a unit, a part of it, or several of them; a word or two alone are no evidence."""
    shorter, longer = sorted((line, unit), key=len)
    return line == unit or (len(shorter) >= _LEAST_COPIED and shorter in longer)


def _folded(text: str) -> str:
    """A text without case and signs, in words with a space around each."""
    words = _FOLDED.sub(" ", text.lower()).strip()
    return f" {words} " if words else ""


@ASSERTIONS.register("context-faithfulness")
def context_faithfulness(spec: AssertionSpec) -> Check:
    """The share of statements in the output that the context supports is at least `threshold` (0.5)."""
    context_of, query_of = context_reader(spec), query_reader(spec)
    if spec.rubric_prompt is not None and not (isinstance(spec.rubric_prompt, list) and len(spec.rubric_prompt) == 2):
        raise ConfigError.of(
            f"the `rubricPrompt` of `{spec.type}` is a list of two prompts",
            hint="the first asks for the statements of the answer, the second for verdicts on them",
        )

    async def check(subject: Subject) -> Verdict:
        query, context = query_of(subject), await context_of(subject)
        variables = {"question": query, "answer": subject.text}
        found = await ask(
            spec, subject, Question(STATEMENTS_PROMPT, variables, statements, "one statement on each line", 0)
        )
        if not found.value:
            return reached(spec, 1.0, THRESHOLD, found.usage, more="the output makes no claims")
        count = len(found.value)
        numbered = "\n".join(f"{place}. {statement}" for place, statement in enumerate(found.value, start=1))
        variables = {"context": context.text, "statements": numbered}
        wanted = f"{count} lines, one for each statement: its number, a short reason, and Yes or No at the end"
        verdicts = await ask(spec, subject, Question(VERDICTS_PROMPT, variables, decisions(count), wanted, 1))
        unsupported = [text for text, holds in zip(found.value, verdicts.value, strict=True) if not holds]
        more = "the context does not support: " + "; ".join(unsupported) if unsupported else "the context supports all"
        usage = found.usage + verdicts.usage
        metadata = {"statements": found.value, "unsupported": unsupported}
        return reached(spec, 1 - len(unsupported) / count, THRESHOLD, usage, metadata, more)

    return check

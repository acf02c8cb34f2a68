"""`select-best`: a grader picks the best of the answers to one test.

Graders prefer what they are shown first (or last), so that each choice is asked for twice, the second time in reverse
order. Only a choice that both agree on counts; where they disagree it is a tie.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from sagemaker_eval.assertions.base import COMPARISONS, PASSED, Compare, Contender, graded_by
from sagemaker_eval.assertions.graded.asking import Question, Reply, Unreadable, ask, chat
from sagemaker_eval.assertions.graded.reading import answer_of
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, TokenUsage, Verdict

PROMPT = chat(
    system=(
        "You compare answers that different models gave to the same task, and pick the best one.\n\n"
        "What counts: {{ criteria }}\n\n"
        "Neither the length nor the order of the answers counts by itself. Reply with the number of the best answer, "
        "a single integer, and nothing else."
    ),
    user=(
        "{% if prompt %}Task:\n{{ prompt }}\n\n{% endif %}"
        '{% for output in outputs %}<answer number="{{ loop.index0 }}">\n{{ output }}\n</answer>\n{% endfor %}\n'
        "The number of the best answer:"
    ),
)

TIE = "a tie: asked again with the answers in reverse order, the grader chose another one"

_INTEGER = re.compile(r"(?<![\d.,])\d{1,9}(?![\d.,]*\d)")
_ALONE = re.compile(
    r"(?:[a-z' ]{0,60}\b(?:best|answer|choice|number|index)\b[a-z' ]{0,60}\W{0,9})?(\d{1,9})", re.IGNORECASE
)
_AROUND = " \t\r`*_\"'#.<>{}[]()"

graded_by("select-best", "text")


@COMPARISONS.register("select-best")
def select_best(spec: AssertionSpec) -> Compare:
    """A grader, asked in both orders, picks this answer as the best by the criteria in `value`; a tie passes."""
    if not isinstance(spec.value, str) or not spec.value.strip():
        raise ConfigError.of(
            "`select-best` needs a `value`: the criteria", hint="for example `the most concise answer`"
        )

    async def compare(contenders: Sequence[Contender]) -> list[Verdict]:
        count = len(contenders)
        there, back = await asyncio.gather(_chosen(spec, contenders), _chosen(spec, contenders[::-1]))
        usage = there.usage + back.usage
        if there.value != count - 1 - back.value:
            return [_verdict(spec, True, 0.5, TIE, usage, index) for index in range(count)]
        return [
            _verdict(spec, True, 1.0, PASSED, usage, index)
            if index == there.value
            else _verdict(spec, False, 0.0, f"answer {there.value} was chosen as the best, not this one", usage, index)
            for index in range(count)
        ]

    return compare


def _verdict(spec: AssertionSpec, passed: bool, score: float, reason: str, usage: TokenUsage, index: int) -> Verdict:
    """A verdict; the tokens of the comparison are told once, with the first answer."""
    return Verdict(passed, score, reason, spec, usage=usage if index == 0 else None)


async def _chosen(spec: AssertionSpec, contenders: Sequence[Contender]) -> Reply[int]:
    """The position of the best among the answers, as they are shown. Raises `GraderError`.

    The grader sees a prompt only where all answers are to the same one: that of one column would favour its answer.
    """
    first = contenders[0].subject
    assert first.templates is not None
    criteria = first.templates.render_value(spec.value, first.vars)
    outputs = [contender.subject.text for contender in contenders]
    shared = all(contender.subject.prompt == first.prompt for contender in contenders)
    variables = {"criteria": criteria, "prompt": first.prompt if shared else "", "outputs": outputs}

    def read(reply: str) -> int:
        return chosen_number(reply, len(outputs))

    return await ask(spec, first, Question(PROMPT, variables, read, f"a number from 0 to {len(outputs) - 1}"))


def chosen_number(reply: str, count: int) -> int:
    """The number that a reply chooses: alone on its last or first line, else the only one that it names.

    Raises `Unreadable` for a reply without a number, with several, or with one that is not from 0 to `count` - 1.
    """
    lines = [line.strip(_AROUND) for line in answer_of(reply).splitlines() if line.strip(_AROUND)]
    alone = [found[1] for line in (lines[-1:] + lines[:1]) if (found := _ALONE.fullmatch(line))]
    named = alone[:1] or list(dict.fromkeys(_INTEGER.findall("\n".join(lines))))
    if len(named) != 1:
        raise Unreadable("has several numbers" if named else "has no number")
    if int(named[0]) >= count:
        raise Unreadable(f"has the number {named[0]}, and the last answer is number {count - 1}")
    return int(named[0])

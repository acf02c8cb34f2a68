"""Writes a readable answer to a prompt: always the same one for the same endpoint and prompt.

Nothing is known and nothing is looked up. The subject is taken from the prompt's own words, the kind of answer (a name,
a story, a list, JSON ...) from what it asks for, and the choice among the ways to say it from a seed.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeVar

from sagemaker_eval.sandbox.containers import vocabulary as words

T = TypeVar("T")

_WORD = re.compile(r"[^\W_][\w’'-]*|[^\w\s]|\n")
_SENTENCE_START = re.compile(r"(?:^|[.!?] )\w")
_DETERMINERS = frozenset({"a", "an", "the", "our", "my", "your", "their", "his", "her", "its"})
_LENGTH = re.compile(r"\b(\d{1,4})[ -]words?\b", re.IGNORECASE)
_COUNT = re.compile(r"\b([2-9]|1\d|20)\b")
_LONGEST_PHRASE = 4
_LINES = 3
_STORY_LENGTH = 60


class _Draft:
    """What there is to write with: the subjects of the prompt and a sequence of choices that its seed fixes."""

    def __init__(self, seed: str, question: str) -> None:
        self._random = random.Random(int.from_bytes(sha256(seed.encode("utf-8", "surrogatepass")).digest()[:8]))
        self.question = question
        self.phrases = subjects(question) or ["this question"]

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._random.random() * len(options))]

    def say(self, options: Sequence[str]) -> str:
        """One of the sentences, about the main subject and a second one."""
        return self.fill(self.pick(options))

    def fill(self, sentence: str) -> str:
        other = self.phrases[-1] if len(self.phrases) > 1 else "the rest of it"
        text = sentence.format(topic=self.phrases[0], other=other)
        return _SENTENCE_START.sub(lambda start: start[0].upper(), text)

    def rounds(self, options: Sequence[T]) -> Callable[[], T]:
        """Draws every option once before any comes again."""
        pool: list[T] = []

        def draw() -> T:
            if not pool:
                pool.extend(options)
            return pool.pop(int(self._random.random() * len(pool)))

        return draw

    def count(self, default: int) -> int:
        """How many things the prompt asks for."""
        match = _COUNT.search(self.question)
        return int(match[1]) if match else default


def write(endpoint: str, prompt: str, question: str) -> str:
    """The answer of `endpoint` to `question`, the part of `prompt` that is to be answered."""
    draft = _Draft(f"{endpoint}\0{prompt}", question)
    for wanted, answer in _KINDS:
        if wanted.search(question):
            return answer(draft)
    return _remark(draft, words.STATEMENTS)


def subjects(text: str) -> list[str]:
    """The phrases of `text` that carry its content, each once, in order, with their article or possessive."""
    phrases: dict[str, None] = {}
    determiner, run = "", list[str]()
    for word in [*_WORD.findall(text), "."]:
        lower = word.lower()
        if _carries_content(lower) or (lower == "of" and run):
            run.append(word)
            continue
        phrase = " ".join(run[-_LONGEST_PHRASE:]).removesuffix(" of")
        if phrase:
            phrases.setdefault(f"{determiner} {phrase}" if determiner else phrase)
        determiner, run = lower if lower in _DETERMINERS else "", []
    return list(phrases)


def _carries_content(word: str) -> bool:
    return word not in words.COMMON_WORDS and any(letter.isalpha() for letter in word)


def _title(phrase: str) -> str:
    """`phrase` as a name writes it: no article, each word with a capital."""
    first, _, rest = phrase.partition(" ")
    bare = rest if rest and first in _DETERMINERS else phrase
    return " ".join(word[:1].upper() + word[1:] for word in bare.split())


def _name(draft: _Draft) -> str:
    topic = _title(draft.phrases[-1])
    pattern, place, quality = (
        draft.rounds(options) for options in (words.NAME_PATTERNS, words.PLACES, words.QUALITIES)
    )
    wanted = draft.count(1)
    names = [pattern().format(topic=topic, place=place(), quality=quality()) for _ in range(wanted)]
    return names[0] if wanted == 1 else "\n".join(f"{number}. {name}" for number, name in enumerate(names, 1))


def _tweet(draft: _Draft) -> str:
    tag = _title(re.sub(r"\W", " ", draft.phrases[0])).replace(" ", "")
    return f"{_remark(draft, words.TWEETS)} #{tag}"


def _story(draft: _Draft) -> str:
    asked = _LENGTH.search(draft.question)
    length = int(asked[1]) if asked else _STORY_LENGTH
    sentence = draft.rounds(words.STORY_SENTENCES)
    ending = draft.say(words.STORY_ENDINGS)
    told = [draft.say(words.STORY_OPENINGS)]
    written = len(told[0].split()) + len(ending.split())
    while written < length:
        told.append(draft.fill(sentence()))
        written += len(told[-1].split())
    return " ".join([*told, ending])


def _list(draft: _Draft) -> str:
    item = draft.rounds(words.ITEMS)
    return "\n".join(f"{number}. {draft.fill(item())}." for number in range(1, draft.count(_LINES) + 1))


def _json(draft: _Draft) -> str:
    document = {"answer": _remark(draft, words.STATEMENTS), "topic": draft.phrases[0], "keywords": draft.phrases[:5]}
    return json.dumps(document, ensure_ascii=False)


def _remark(draft: _Draft, options: Sequence[str]) -> str:
    """One of the sentences, and a remark."""
    return f"{draft.say(options)} {draft.pick(words.REMARKS)}"


def _explanation(draft: _Draft) -> str:
    middle = draft.rounds(words.EXPLANATIONS)
    sentences = (draft.say(words.OPENINGS), draft.fill(middle()), draft.fill(middle()), draft.say(words.CLOSINGS))
    return " ".join(sentences)


def _kind(words_asked_for: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words_asked_for})\b", re.IGNORECASE)


_KINDS: tuple[tuple[re.Pattern[str], Callable[[_Draft], str]], ...] = (
    (_kind("json"), _json),
    (re.compile(r"\A\W*(?:hello|hi|hey)\W*\Z", re.IGNORECASE), lambda draft: draft.say(words.GREETINGS)),
    (_kind("names?|slogans?|taglines?|titles?"), _name),
    (_kind("tweet|post|caption"), _tweet),
    (_kind("story|stories|tale|poem|essay|article|blog"), _story),
    (_kind(r"summari[sz]e|summary|tl;dr"), lambda draft: _remark(draft, words.SUMMARIES)),
    (_kind("list|steps|ideas|bullets?|ways|tips"), _list),
    (
        re.compile(r"\A\s*(?:is|are|does|do|can|should|will|would|has|have)\b", re.IGNORECASE),
        lambda draft: _remark(draft, words.YES_NO),
    ),
    (_kind("explain|describe|what|why|how|who|where|when"), _explanation),
)

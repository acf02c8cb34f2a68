"""Metrics of nearness to a reference: against promptfoo's recorded scores, NLTK's, and what their definitions imply."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.meteor_score import single_meteor_score

from sagemaker_eval.assertions.judging import Undecided
from sagemaker_eval.assertions.metrics.bleu import bleu_score
from sagemaker_eval.assertions.metrics.gleu import gleu_score
from sagemaker_eval.assertions.metrics.levenshtein import distance
from sagemaker_eval.assertions.metrics.meteor import meteor_score
from sagemaker_eval.assertions.metrics.penn_tokens import penn_tokens
from sagemaker_eval.assertions.metrics.rouge import longest, rouge
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Response, Verdict

Judged = Callable[..., Verdict]

RECORDED = json.loads((Path(__file__).parent / "metric_verdicts.json").read_text("utf-8"))
"""What promptfoo 0.123.1 said of random texts."""

words = st.lists(
    st.sampled_from(["the", "a", "cat", "dogs", "dog", "runs", "running", "sat", "mat"]), min_size=1, max_size=12
)


@pytest.mark.parametrize("kind", ["rouge-n", "bleu", "gleu", "levenshtein"])
def test_promptfoos_verdicts_and_scores(judged: Judged, kind: str) -> None:
    differing = []
    for row in RECORDED:
        if row["type"].removeprefix("not-") == kind:
            more = {"threshold": row["threshold"]} if "threshold" in row else {}
            verdict = judged(row["output"], row["type"], row["value"], **more)
            if verdict.passed is not row["pass"] or abs(verdict.score - row["score"]) > 0.002:
                differing.append((row, verdict))
    assert differing == []


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, world.", ["Hello", ",", "world", "."]),
        ("It's can't they'll I'm", ["It", "'s", "ca", "n't", "they", "'ll", "I", "'m"]),
        ('He said "no" (twice)...', ["He", "said", "``", "no", "''", "(", "twice", ")", "..."]),
        ("$1,000.50 at 12:30, in the U.S.", ["$", "1,000.50", "at", "12:30", ",", "in", "the", "U.S."]),
        ("gonna cannot 'tis", ["gon", "na", "can", "not", "'t", "is"]),
        (" \n", []),
    ],
)
def test_tokens_of_the_penn_treebank(text: str, tokens: list[str]) -> None:
    assert penn_tokens(text) == tokens


@given(words, words)
def test_scores_are_shares_and_one_means_the_same_words(one: list[str], other: list[str]) -> None:
    a, b = " ".join(one), " ".join(other)
    for score in (
        rouge(a, b, 1),
        rouge(a, b, 2),
        longest(a, b),
        bleu_score(a, [b]),
        gleu_score(a, [b]),
        meteor_score(a, b),
    ):
        assert 0 <= score <= 1
    assert rouge(a, a, 1) == longest(a, a) == gleu_score(a, [a]) == 1
    assert bleu_score(a, [a]) == pytest.approx(1)
    assert rouge(a, b, 1) == pytest.approx(rouge(b, a, 1))


@given(words, words)
def test_more_references_never_lower_a_score(one: list[str], other: list[str]) -> None:
    a, b = " ".join(one), " ".join(other)
    assert gleu_score(a, [b, a]) >= gleu_score(a, [b])


@given(words, words)
def test_meteor_is_nltks_without_synonyms(one: list[str], other: list[str]) -> None:
    expected = single_meteor_score(other, one, wordnet=_NoSynonyms())
    assert meteor_score(" ".join(one), " ".join(other)) == pytest.approx(expected)


class _NoSynonyms:
    """What NLTK asks for synonyms."""

    def synsets(self, word: str) -> list[Any]:
        return []


def test_meteor_tells_which_stages_counted(judged: Judged) -> None:
    verdict = judged("the dogs run", "meteor", "the dog runs", threshold=0.9)
    assert verdict.passed
    assert "exact and stem matches" in verdict.reason


def test_meteor_counts_synonyms_where_wordnet_is_there(judged: Judged, tmp_path: Path) -> None:
    for part in ("noun", "verb", "adj", "adv"):
        (tmp_path / f"index.{part}").write_text("  1 licence\n", "utf-8")
    with (tmp_path / "index.noun").open("a", encoding="utf-8") as index:
        index.write("car n 1 1 @ 1 1 02958343  \nautomobile n 1 1 @ 1 0 02958343  \n")
    config = {"wordnet": str(tmp_path)}
    assert judged("an automobile", "meteor", "a car", threshold=0.2, config=config).passed
    without = judged("an automobile", "meteor", "a car", threshold=0.2)
    assert without.score == 0.0
    with pytest.raises(ConfigError, match="holds no WordNet database"):
        judged("x", "meteor", "y", config={"wordnet": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("one", "other", "edits"), [("kitten", "sitting", 3), ("😀", "", 2), ("", "", 0), ("é", "e", 1)]
)
def test_edits_are_counted_as_javascript_counts_characters(one: str, other: str, edits: int) -> None:
    assert distance(one, other) == edits


@pytest.mark.parametrize(
    ("type", "threshold", "passed"),
    [("perplexity", 2.1, True), ("perplexity", 1.9, False), ("not-perplexity", 1.9, True), ("perplexity", None, True)],
)
def test_perplexity(judged: Judged, type: str, threshold: float | None, passed: bool) -> None:
    answer = Response("x", log_probs=(math.log(0.5), math.log(0.5)))
    assert judged(None, type, threshold=threshold, response=answer).passed is passed


def test_the_score_of_perplexity_is_higher_for_less_surprise(judged: Judged) -> None:
    answer = Response("x", log_probs=(math.log(0.5), math.log(0.5)))
    assert judged(None, "perplexity-score", threshold=0.3, response=answer).score == pytest.approx(1 / 3)
    assert judged(None, "not-perplexity-score", threshold=0.3, response=answer).score == pytest.approx(2 / 3)


def test_an_impossible_token_is_an_infinite_surprise(judged: Judged) -> None:
    answer = Response("x", log_probs=(-9999.0,))
    assert judged(None, "perplexity", threshold=20, response=answer).reason == (
        "Expected a perplexity of at most 20; it is inf"
    )
    assert judged(None, "perplexity-score", threshold=0.1, response=answer).score == 0


def test_above_no_threshold_is_no_perplexity(judged: Judged) -> None:
    with pytest.raises(ConfigError, match="`not-perplexity` needs a `threshold`"):
        judged(None, "not-perplexity", response=Response("x", log_probs=(-1.0,)))


@pytest.mark.parametrize("type", ["perplexity", "perplexity-score"])
def test_without_log_probabilities_nothing_is_judged(judged: Judged, type: str) -> None:
    with pytest.raises(Undecided, match="tells no log probabilities"):
        judged("x", type)


@pytest.mark.parametrize("type", ["rouge-n", "rouge-l", "bleu", "gleu", "meteor", "levenshtein"])
@pytest.mark.parametrize("value", [None, {"a": 1}, 42])
def test_a_metric_needs_a_reference(judged: Judged, type: str, value: Json) -> None:
    with pytest.raises(ConfigError, match="needs a `value`"):
        judged("x", type, value)


def test_references_may_be_templates(judged: Judged) -> None:
    assert judged("the cat", "bleu", ["{{one}}", "a dog"], vars={"one": "the cat"}).passed
    more: dict[str, Any] = {"vars": {"one": "the cat"}}
    assert judged("the cat", "rouge-l", "{{one}}", **more).reason.startswith("ROUGE-L score 1.000 reaches")

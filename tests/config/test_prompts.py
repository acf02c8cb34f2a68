"""`prompts`: what is text, what is a path, and what each file holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.prompts import build_prompts, distinct_prompts, prompt_matches
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, Prompt

WHERE = Place("sageval.yaml", pointer=("prompts",))

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def writer(name: str, text: str) -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)

    return writer


def built(source: Json, notices: list[str] | None = None) -> list[Prompt]:
    return list(build_prompts(source, WHERE, ".", ([] if notices is None else notices).append))


def refused(source: Json) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        built(source)
    return [problem.message for problem in caught.value.problems]


def labels(source: Json) -> list[str]:
    return [prompt.label for prompt in built(source)]


@pytest.mark.parametrize(
    "text",
    [
        "Is it A/B or C?",
        "Where are the U.S.",
        "2 * {{q}}",
        "a/b/c",
        "see notes.txt",
        "{{path}}.md",
        "Summarise:\nnotes.txt",
        r"back\slash",
        "{{prompt}}",
        "https://example.com/guide.md",
        "file://first.txt\nand more lines",
    ],
)
def test_slashes_dots_and_stars_do_not_make_a_path(text: str) -> None:
    assert [prompt.raw for prompt in built([text])] == [text]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).map("Say: {}".format))
def test_any_text_is_its_own_label(text: str) -> None:
    assert [(prompt.raw, prompt.label) for prompt in built(text)] == [(text, text)]


def test_the_id_is_the_hash_of_the_label() -> None:
    plain, labelled = built(["Hello", {"raw": "Hi", "label": "short"}])

    assert plain.id == hashlib.sha256(b"Hello").hexdigest()
    assert labelled.id == hashlib.sha256(b"short").hexdigest()


def test_one_word_with_the_ending_of_a_prompt_file_is_a_path() -> None:
    assert refused(["prompts/missing.txt"]) == ["the file of `prompts/missing.txt` does not exist"]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (["file://prompts/*.txt"], "no file matches `file://prompts/*.txt`"),
        (["exec:date"], "prompts from `exec:` are not supported"),
        (["langfuse://greeting:3"], "prompts from `langfuse:` are not supported"),
        (["  "], "the prompt is empty"),
        ([], "`prompts` is empty"),
        ([5], "`prompts[0]` must be a text or a map, not the number `5`"),
        (5, "`prompts` must be a text, a list or a map, not the number `5`"),
        ([{"label": "x"}], "a prompt needs `raw` or `id`"),
        ([{"raw": "x", "lable": "y"}], "unknown key `lable` in a prompt"),
    ],
)
def test_prompts_that_are_refused(source: Json, problem: str) -> None:
    assert refused(source) == [problem]


def test_empty_files_are_refused(write: Write) -> None:
    for name in ("empty.txt", "empty.md", "empty.json", "empty.yaml", "empty.jsonl", "empty.csv"):
        write(name, "\n\n")

        assert refused([f"file://{name}"]) == [f"there is no prompt in `file://{name}`"]


def test_repeated_prompts_are_sent_once() -> None:
    notices: list[str] = []
    labelled = {"raw": "a", "label": "x"}

    assert [prompt.raw for prompt in built(["Hello", labelled, "Hello", labelled], notices)] == ["Hello", "a"]
    assert notices == [f"the prompt `{label}` is given more than once: it is sent once" for label in ("Hello", "x")]


@pytest.mark.parametrize("other", [{"raw": "b"}, {"raw": "a", "config": {"k": 1}}, {"raw": "a", "id": "second"}])
def test_a_label_for_two_different_prompts_is_refused(other: dict[str, Json]) -> None:
    assert len(refused([{"raw": "a", "label": "x"}, {**other, "label": "x"}])) == 1


def test_prompts_of_several_configurations_are_told_apart_by_their_labels() -> None:
    notices: list[str] = []
    here, there = (Place(path, 3, 5) for path in ("one.yaml", "two.yaml"))
    first, same = (Prompt("Hello", "greeting", "id", where=where) for where in (here, there))

    assert distinct_prompts([first, same], notices.append) == (first,)
    assert notices == ["the prompt `greeting` is given more than once: it is sent once"]
    with pytest.raises(ConfigError, match=r"two\.yaml:3:5: .* at one\.yaml:3:5"):
        distinct_prompts([first, replace(same, raw="Bye")], notices.append)


def test_config_and_id_come_with_every_prompt_of_a_file(write: Write) -> None:
    write("two.txt", "One\n---\nTwo")
    write("one.md", "Text")

    two = built([{"raw": "file://two.txt", "id": "t", "config": {"k": 1}}])
    (one,) = built([{"raw": "file://one.md", "id": "m", "label": "mine", "config": {"k": 2}}])

    assert [(prompt.name, prompt.config) for prompt in two] == [("t:1", {"k": 1}), ("t:2", {"k": 1})]
    assert all(prompt_matches("t", prompt) for prompt in two)
    assert (one.name, one.label, one.config) == ("m", "mine", {"k": 2})


def test_the_map_form_gives_each_text_or_path_a_label(write: Write) -> None:
    write("a.md", "From the file")
    source = {"Hello {{name}}": "greeting", "file://a.md": "from a file"}

    assert [(prompt.raw, prompt.label) for prompt in built(source)] == [
        ("Hello {{name}}", "greeting"),
        ("From the file", "from a file"),
    ]


def test_an_inline_prompt_is_placed_at_its_text() -> None:
    (plain, labelled) = built(["Hello", {"raw": "Hi", "label": "x"}])

    assert plain.where == Place("sageval.yaml", pointer=("prompts", 0))
    assert labelled.where == Place("sageval.yaml", pointer=("prompts", 1, "raw"))
    assert not plain.whole_file


@pytest.mark.parametrize(
    ("reference", "matches"), [("chat: short", True), ("c1", True), ("ch*", True), ("chat", True), ("short", False)]
)
def test_references_to_prompts(reference: str, matches: bool) -> None:
    (prompt,) = built([{"raw": "Hello", "id": "c1", "label": "chat: short"}])

    assert prompt_matches(reference, prompt) is matches

"""`prompts`: what is text, what is a path, and what each file holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.prompts import build_prompts, prompt_matches
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


def test_a_text_file_holds_several_prompts(write: Write) -> None:
    write("two words.txt", "One\n---\n\n  Two\nlines \n--- \n---\n")

    assert [(prompt.raw, prompt.label) for prompt in built("two words.txt")] == [
        ("One", "two words.txt: One"),
        ("Two\nlines", "two words.txt: Two\nlines"),
    ]
    assert labels([{"raw": "file://two words.txt", "label": "mine"}])[0] == "mine: two words.txt: One"


@pytest.mark.parametrize(
    ("name", "text", "raw", "label"),
    [
        ("a.md", "# Title\n---\nBody", "# Title\n---\nBody", "a.md: # Title\n---\nBody..."),
        ("a.j2", "{% if x %}y{% endif %}", "{% if x %}y{% endif %}", "a.j2: {% if x %}y{% endif %}..."),
        ("a.json", '{"a": [1, "é"]}', '{"a":[1,"é"]}', 'a.json: {"a":[1,"é"]}'),
        ("a.json", '{"a": {{x}}}', '{"a": {{x}}}', 'a.json: {"a": {{x}}}'),
        ("a.yaml", "- role: user\n  content: '{{x}}'", '[{"role":"user","content":"{{x}}"}]', None),
    ],
)
def test_other_files_hold_one_prompt(write: Write, name: str, text: str, raw: str, label: str | None) -> None:
    write(name, text)
    (prompt,) = built([f"file://{name}"])

    assert prompt.raw == raw
    assert prompt.label == (label or f"{name}: {raw}")


def test_globs_and_folders_are_read_in_the_order_of_names(write: Write) -> None:
    for name in ("b.txt", "a.md", "c.txt", ".hidden.txt"):
        write(f"prompts/{name}", f"from {name}")

    assert [prompt.raw for prompt in built("file://prompts/*.txt")] == ["from b.txt", "from c.txt"]
    assert [prompt.raw for prompt in built(["file://prompts"])] == ["from a.md", "from b.txt", "from c.txt"]
    assert [prompt.raw for prompt in built(["prompts/"])] == ["from a.md", "from b.txt", "from c.txt"]


def test_a_label_for_several_files_stays_unambiguous(write: Write) -> None:
    write("a.md", "A")
    write("b.md", "B")

    assert labels([{"raw": "file://*.md", "label": "mine"}]) == ["mine: a.md", "mine: b.md"]
    assert labels([{"raw": "file://a.md", "label": "mine"}]) == ["mine"]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (["file://prompts/*.txt"], "no file matches `file://prompts/*.txt`"),
        (["exec:date"], "prompts from `exec:` are not yet supported"),
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


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.py", "a.js"])
def test_prompt_files_of_later_versions_are_refused(write: Write, name: str) -> None:
    write(name, "text")

    assert refused([f"file://{name}"]) == [f"prompts from `{Path(name).suffix}` files are not yet supported: `{name}`"]


def test_empty_files_and_files_inside_files_are_refused(write: Write) -> None:
    write("empty.txt", "---\n\n")
    write("nested.json", '["file://other.txt"]')

    assert refused(["file://empty.txt"]) == ["there is no prompt in `file://empty.txt`"]
    assert refused(["file://nested.json"]) == ["`file://other.txt`: a file inside a prompt file is not yet supported"]


def test_repeated_texts_are_sent_once_and_equal_labels_refused() -> None:
    notices: list[str] = []

    assert [prompt.raw for prompt in built(["Hello", "Hi", "Hello"], notices)] == ["Hello", "Hi"]
    assert notices == ["the prompt `Hello` is given more than once: it is sent once"]
    assert len(refused([{"raw": "a", "label": "x"}, {"raw": "a", "label": "x"}])) == 1


@pytest.mark.parametrize(
    ("reference", "matches"), [("chat: short", True), ("c1", True), ("ch*", True), ("chat", True), ("short", False)]
)
def test_references_to_prompts(reference: str, matches: bool) -> None:
    (prompt,) = built([{"raw": "Hello", "id": "c1", "label": "chat: short"}])

    assert prompt_matches(reference, prompt) is matches

"""What each kind of prompt file holds, what its prompts are called, and where they begin."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.prompt_files import FilePrompt, PromptReading, load_prompts
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place, UserCode
from sagemaker_eval.text.templating.templates import Templates

WHERE = Place("sageval.yaml", pointer=("prompts", 0))

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def writer(name: str, text: str) -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(text.encode())

    return writer


def loaded(
    reference: str, label: str | None = None, notices: list[str] | None = None, base_path: str = ".", **options: str
) -> list[FilePrompt]:
    reading = PromptReading(base_path, ([] if notices is None else notices).append, **options)
    return load_prompts(reference, label, reading, WHERE)


def test_a_text_file_holds_several_prompts(write: Write) -> None:
    write("p.txt", "One\n---\n\n  Two\nlines \n--- \n---\n")

    assert [(prompt.raw, prompt.label) for prompt in loaded("file://p.txt")] == [
        ("One", "p.txt: One"),
        ("Two\nlines", "p.txt: Two\nlines"),
    ]
    assert loaded("file://p.txt", label="mine")[0].label == "mine: p.txt: One"


def test_the_separator_of_text_files_can_be_another(write: Write) -> None:
    write("p.txt", "One\n---\nstill\n===\nTwo")

    assert [prompt.raw for prompt in loaded("p.txt", separator="===")] == ["One\n---\nstill", "Two"]


def test_only_line_feeds_end_the_lines_of_a_text_file(write: Write) -> None:
    write("p.txt", "a\u2028b\x0bc\r\nd\r\n---\r\ne")

    assert [prompt.raw for prompt in loaded("p.txt")] == ["a\u2028b\x0bc\nd", "e"]


@pytest.mark.parametrize(
    ("name", "text", "raw", "label"),
    [
        ("a.md", "# Title\n---\nBody", "# Title\n---\nBody", "a.md: # Title\n---\nBody..."),
        ("a.md", "x" * 60, "x" * 60, f"a.md: {'x' * 50}..."),
        ("a.j2", "{% if x %}y{% endif %}", "{% if x %}y{% endif %}", "a.j2: {% if x %}y{% endif %}..."),
        ("a.json", '{"a": [1.0, "é"]}', '{"a":[1,"é"]}', 'a.json: {"a":[1,"é"]}'),
        ("a.yaml", "- role: user\n  content: '{{x}}'", '[{"role":"user","content":"{{x}}"}]', None),
        ("a.yml", f"k: {'x' * 90}", f'{{"k":"{"x" * 90}"}}', f'a.yml: {{"k":"{"x" * 74}'),
        ("a.jsonl", '["single {{x}}"]\n', '["single {{x}}"]', "a.jsonl"),
    ],
)
def test_files_of_one_prompt(write: Write, name: str, text: str, raw: str, label: str | None) -> None:
    write(name, text)
    (prompt,) = loaded(f"file://{name}")

    assert prompt.raw == raw
    assert prompt.label == (label or f"{name}: {raw}")
    assert loaded(f"file://{name}", label="mine")[0].label == "mine"


def test_json_lines_hold_a_prompt_each(write: Write) -> None:
    write("a.jsonl", '["a {{x}}"]\n\n{"b": 1.0}\r\n')

    assert [(prompt.raw, prompt.label) for prompt in loaded("a.jsonl")] == [
        ('["a {{x}}"]', 'a.jsonl: ["a {{x}}"]'),
        ('{"b": 1.0}', 'a.jsonl: {"b": 1.0}'),
    ]
    assert loaded("a.jsonl", label="mine")[1].label == 'mine: {"b": 1.0}'


def test_a_table_holds_a_prompt_in_each_row(write: Write) -> None:
    write("a.csv", "prompt;label\nHello, {{x}};greeting\nBye;\n")

    assert [(prompt.raw, prompt.label) for prompt in loaded("a.csv", delimiter=";")] == [
        ("Hello, {{x}}", "greeting"),
        ("Bye", "Prompt 2 - Bye"),
    ]


def test_json_that_is_none_before_rendering_is_sent_as_text_with_a_notice(write: Write) -> None:
    notices: list[str] = []
    write("a.json", '{"temperature": {{t}},\n "q": "{{q}}"}')

    (prompt,) = loaded("a.json", notices=notices)

    assert prompt.raw == '{"temperature": {{t}},\n "q": "{{q}}"}'
    assert len(notices) == 1
    assert notices[0].startswith("a.json:1:18: invalid JSON")
    assert notices[0].endswith("the prompt is sent as plain text, so values in it are not escaped")


def test_yaml_that_cannot_be_read_is_refused_with_its_line(write: Write) -> None:
    write("a.yaml", "- role: user\n  content: [")

    with pytest.raises(ConfigError, match=r"a\.yaml:3:1"):
        loaded("a.yaml")


def test_files_inside_chats_are_relative_to_the_folder_of_the_configuration(write: Write) -> None:
    write("config/system.txt", "You are {{x}}.\n")
    write("config/prompts/chat.json", '[{"role": "system", "content": "file://system.txt"}]')
    write("config/prompts/chat.yaml", "- role: system\n  content: file://system.txt\n")

    for name in ("chat.json", "chat.yaml"):
        (prompt,) = loaded(f"file://prompts/{name}", base_path="config")
        assert prompt.raw == '[{"role":"system","content":"You are {{x}}.\\n"}]'


@pytest.mark.parametrize("reference", ["p.js", "p.mjs", "p.cjs:create", "p.py:create"])
def test_a_script_is_a_function_that_makes_the_prompt(write: Write, reference: str) -> None:
    write(f"config/{reference.partition(':')[0]}", "the source")
    (prompt,) = loaded(f"file://{reference}", base_path="config")

    assert prompt.function == UserCode(f"file://{reference}", "config")
    assert prompt.function.where == WHERE
    assert (prompt.raw, prompt.label, prompt.where) == ("the source", f"config/{reference}", WHERE)
    assert loaded(f"file://{reference}", label="mine", base_path="config")[0].label == "mine"


def test_a_python_program_is_called_by_its_source(write: Write) -> None:
    write("p.py", "print('Hello')")
    (prompt,) = loaded("file://p.py")

    assert prompt.label == "p.py: print('Hello')"
    assert prompt.function == UserCode("file://p.py", ".")


def test_a_glob_of_scripts_asks_for_the_same_function_of_each(write: Write) -> None:
    for name in ("b.py", "a.py"):
        write(f"scripts/{name}", "def create(context): return 'x'")

    functions = [prompt.function for prompt in loaded("file://scripts/*.py:create")]

    assert functions == [UserCode("file://scripts/a.py:create", "."), UserCode("file://scripts/b.py:create", ".")]


def test_a_label_for_several_files_stays_unambiguous(write: Write) -> None:
    write("a.md", "A")
    write("b.md", "B")
    write("c.txt", "C\n---\nD")

    labels = [prompt.label for prompt in loaded("file://*.*", label="mine")]

    assert labels == ["mine: a.md", "mine: b.md", "mine: c.txt: C", "mine: c.txt: D"]


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("p.txt", "\nOne\n---\n\n \n{{ Two\nlines\n---\nThree", [2, 6, 9]),
        ("p.md", "\nText", [1]),
        ("p.csv", 'label,prompt\n"a\nb",x\nc,"y\nz"\nd,e', [3, 4, 6]),
        ("p.csv", "prompt\n\nx\ny\n", [3, 4]),
        ("p.jsonl", '["a"]\n\n["b"]', [1, 3]),
    ],
)
def test_a_prompt_is_placed_where_its_text_begins(write: Write, name: str, text: str, lines: list[int]) -> None:
    write(name, text)
    prompts = loaded(f"file://{name}")

    assert [prompt.where for prompt in prompts] == [Place(name, line) for line in lines]
    assert all(prompt.whole_file for prompt in prompts)


def test_a_flaw_of_a_template_is_found_on_its_line_of_the_file(write: Write) -> None:
    write("p.txt", "One\n---\n\nTwo\n{{ x | nope }}\n")
    prompt = loaded("p.txt")[1]

    with pytest.raises(ConfigError) as caught:
        Templates().prompt(prompt.raw, prompt.where, whole_file=prompt.whole_file)

    (problem,) = caught.value.problems
    assert problem.where is not None
    assert (problem.where.path, problem.where.line) == ("p.txt", 5)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r-"), min_size=1).map(lambda t: f"p{t}q")))
def test_prompts_between_separators_come_back_as_they_were(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "p.txt")
        path.write_bytes("\n---\n".join(["first", *texts]).encode())

        assert [prompt.raw for prompt in loaded(str(path))] == ["first", *texts]

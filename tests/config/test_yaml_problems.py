from __future__ import annotations

import pytest
import yaml

from sagemaker_eval.config import yaml_loader
from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.errors import ConfigError

SYNTAX_ERRORS = [
    ("a:\n\t- b\n", "f.yaml:2:1: a tab is used for indentation", "spaces"),
    ("a: 1\n\tb: 2\n", "f.yaml:2:1: a tab is used for indentation", "spaces"),
    ("a: b: c\n", "f.yaml:1:5: a `:` stands where no key can end", "quotes"),
    ("a: 1\nfoo\nb: 2\n", "f.yaml:3:1: line 2 is not a `key: value`: its `:` is missing", "add the `:`"),
    ("a: [1, 2\n", "f.yaml:2:1: the list that `[` opens on line 1 is not closed before this", "`]`"),
    ("a: {x: 1\nb: 2\n", "f.yaml:2:2: the map that `{` opens on line 1 is not closed before this", "`}`"),
    ("a: 1\nb: 'abc\n\n", "f.yaml:4:1: the quote that opens on line 2 is never closed", "`''`"),
    ("a: 'it's'\n", "f.yaml:1:8: text follows a closing quote", "`''`"),
    ("a: @x\n", "f.yaml:1:4: text cannot begin with `@`", "quotes"),
    ("a: `x`\n", "f.yaml:1:4: text cannot begin with a backtick", "quotes"),
    ("a: - b\n", "f.yaml:1:4: a list entry cannot begin here", "own"),
    ("a: !e!x 1\n", "f.yaml:1:4: this tag is not supported", "quotes"),
    ("a: *\n", "f.yaml:1:5: an anchor or alias lacks its name", "quotes"),
    ("k" * 1100 + ": 1\n", "f.yaml:1:1101: a key is longer than 1024 characters", "`? `"),
    ("a: {{ x }}, y\n", "f.yaml:1:5: a key is a list or a map", "quotes"),
    ("a: 1\nb: \x07", "f.yaml:2:4: the control character U+0007 is not allowed in YAML", "escape"),
    ("a: \ud800", "f.yaml:1:4: the control character U+D800 is not allowed in YAML", "escape"),
]


@pytest.mark.parametrize("loader", [yaml.CSafeLoader, yaml.SafeLoader])
@pytest.mark.parametrize(("text", "message", "hint"), SYNTAX_ERRORS)
def test_syntax_errors_in_plain_words(
    text: str, message: str, hint: str, loader: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_loader, "_LOADER", loader)
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "f.yaml")
    assert str(caught.value) == message
    assert hint in (caught.value.problems[0].hint or "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('a: "C:\\dir"\n', "f.yaml:1:7: `\\d` is not an escape that double quotes know"),
        ('a: "\\ud83d"\n', "f.yaml:1:7: the escape `\\ud83d` names no character"),
        ('a: "\\xZZ"\n', "f.yaml:1:7: the escape `\\xZZ` lacks hexadecimal digits"),
        ("- a\nb: 1\n", "f.yaml:2:1: this line does not belong to the list that begins on line 1"),
        ("a:\n  - b\n c: 1\n", "f.yaml:3:2: this does not fit the map that begins on line 1"),
        ("a: ]\n", "f.yaml:1:4: a value is missing before `]`"),
        ("%FOO\n---\na\n", "f.yaml:1:5: found unknown directive name while scanning a directive"),
    ],
)
def test_words_of_libyaml_alone(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "f.yaml")
    assert str(caught.value) == message


def test_a_template_without_quotes_gets_its_own_hint() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml("prompts:\n  - {{ @a }}\n", "f.yaml")
    assert caught.value.problems[0].hint == "put text that begins with `{{` in quotes"

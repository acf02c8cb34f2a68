from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config import yaml_loader
from sagemaker_eval.config.yaml_composer import MAX_DEPTH
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, parse_yaml_with_places, read_text
from sagemaker_eval.errors import ConfigError, Problem

# What both JSON and YAML allow unescaped.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff"), max_size=40)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda children: st.lists(children, max_size=5) | st.dictionaries(TEXT, children, max_size=5),
    max_leaves=20,
)


def problem_of(text: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "f.yaml")
    (problem,) = caught.value.problems
    return problem


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 2, "\t"]))
def test_json_is_yaml(document: Any, ensure_ascii: bool, indent: int | str | None) -> None:
    text = json.dumps(document, ensure_ascii=ensure_ascii, indent=indent)
    assert parse_yaml(text, "f.yaml") == document
    assert parse_yaml_with_places(text, "f.yaml")[0] == document


@given(DOCUMENTS)
def test_block_style_survives_too(document: Any) -> None:
    text = yaml.dump(json.loads(json.dumps(document)), Dumper=yaml.SafeDumper, default_style='"')
    assert json.dumps(parse_yaml(text, "f.yaml"), sort_keys=True) == json.dumps(document, sort_keys=True)


@given(DOCUMENTS)
def test_both_parsers_of_pyyaml_agree(document: Any) -> None:
    text = json.dumps(document, ensure_ascii=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_loader, "_LOADER", yaml.SafeLoader)
        assert parse_yaml(text, "f.yaml") == document


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers()), unique_by=lambda pair: pair[0]))
def test_places_point_at_what_they_name(pairs: list[tuple[str, int]]) -> None:
    text = "# a comment\nouter:\n" + "".join(f"  - {key}: {value}\n    rest: [é, {value}]\n" for key, value in pairs)
    document, places = parse_yaml_with_places(text, "f.yaml")
    lines = text.splitlines()

    def text_at(mark: tuple[int, int]) -> str:
        return lines[mark[0] - 1][mark[1] - 1 :]

    for index, (key, value) in enumerate(pairs):
        if key == "rest":
            continue
        assert document["outer"][index] == {key: value, "rest": ["é", value]}
        assert text_at(places.keys["outer", index, key]).startswith(f"{key}:")
        assert text_at(places.values["outer", index, key]) == str(value)
        assert text_at(places.values["outer", index, "rest"]).startswith("[")
        assert text_at(places.values["outer", index, "rest", 1]) == f"{value}]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("010", 10),
        ("1e3", 1000.0),
        ("2024-01-02", "2024-01-02"),
        ("'010'", "010"),
        ('"true"', "true"),
        ("|\n  10", "10"),
        (">-\n  1\n  2", "1 2"),
        ("", None),
        ("=", "="),
        ("!!str 5", "5"),
        ("! 5", "5"),
    ],
)
def test_only_plain_scalars_have_types(text: str, value: Any) -> None:
    assert parse_yaml(f"a: {text}", "f.yaml") == {"a": value}


def test_keys_are_strings() -> None:
    assert parse_yaml("1: a\n1.0e1: b\ntrue: c\n~: d\n", "f.yaml") == {"1": "a", "10": "b", "true": "c", "null": "d"}


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing here\n", "---\n", "\ufeff", "~"])
def test_an_empty_document_is_none(text: str) -> None:
    assert parse_yaml(text, "f.yaml") is None


def test_a_byte_order_mark_shifts_nothing() -> None:
    assert parse_yaml_with_places("\ufeffa: 1", "f.yaml")[1].keys["a",] == (1, 1)


@pytest.mark.parametrize("line_break", ["\x85", "\u2028", "\u2029"])
def test_unicode_line_breaks_are_text(line_break: str) -> None:
    text = f"a: one{line_break}two\nb: |\n  three{line_break}four\n"
    document, places = parse_yaml_with_places(text, "f.yaml")
    assert document == {"a": f"one{line_break}two", "b": f"three{line_break}four\n"}
    assert places.keys["b",] == (2, 1)


def test_surrogate_pairs_are_escapes_in_double_quotes_only() -> None:
    text = 'a: "\\ud83d\\ude00 \\uD83D\\uDE00"\nb: \\ud83d\\ude00\nc: \'\\ud83d\\ude00\'\nd: "\\\\ud83d"\n'
    verbatim = "\\ud83d\\ude00"
    assert parse_yaml(text, "f.yaml") == {"a": "😀 😀", "b": verbatim, "c": verbatim, "d": "\\ud83d"}


def test_anchors_and_aliases() -> None:
    text = "a: &one {x: 1}\nb: *one\nc: &two word\nd: [*two, *one]\n"
    one = {"x": 1}
    assert parse_yaml(text, "f.yaml") == {"a": one, "b": one, "c": "word", "d": ["word", one]}


def test_merge_keys_give_way_to_written_ones() -> None:
    text = "base: &base {a: 1, b: 2}\nbefore: {<<: *base, b: 3}\nafter: {b: 3, <<: *base}\n"
    document = parse_yaml(text, "f.yaml")
    assert document["before"] == document["after"] == {"a": 1, "b": 3}
    assert list(document["before"]) == ["a", "b"]


def test_of_merged_maps_the_first_wins() -> None:
    text = "x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz:\n  <<: [*x, *y]\n"
    assert parse_yaml(text, "f.yaml")["z"] == {"a": 1, "b": 2}


def test_a_quoted_merge_sign_is_a_key() -> None:
    assert parse_yaml("'<<': 1", "f.yaml") == {"<<": 1}


@pytest.mark.parametrize("text", ["<<: 1", "<<: [{a: 1}, 2]"])
def test_only_maps_can_be_merged(text: str) -> None:
    assert "needs a map" in problem_of(text).message


def test_what_was_merged_may_be_written_once() -> None:
    assert "stands twice" in problem_of("<<: {a: 1}\na: 2\na: 3\n").message


@pytest.mark.parametrize("text", ["tests:\n  - a: 1\n    b: 2\n    'a': 3\n", "\n- {1: a,\n\n  '1': b}\n"])
def test_a_duplicate_key_names_both_lines(text: str) -> None:
    problem = problem_of(text)
    assert "on lines 2 and 4" in problem.message
    assert problem.where is not None
    assert problem.where.line == 4


@pytest.mark.parametrize(
    ("text", "words", "line", "column"),
    [
        ("a: *x\n", "alias `*x` has no anchor", 1, 4),
        ("a: &x [1, *x]\n", "stands inside the value", 1, 11),
        ("a: &x {b: {c: *x}}\n", "stands inside the value", 1, 15),
        ("a: 1\n---\nb: 2\n", "second YAML document", 2, 1),
        ("a: !mine 1\n", "tag `!mine` is not supported", 1, 4),
        ("a: !!binary aGk=\n", "tag `!!binary` is not supported", 1, 4),
        ("a: !!set {x}\n", "tag `!!set` is not supported", 1, 4),
        ("a: !!map [1]\n", "tag `!!map` is not supported", 1, 4),
        ("a: !!int x\n", "does not fit its tag", 1, 4),
        ("? [a]\n: 1\n", "a key is a list or a map", 1, 3),
        ("k: &k {a: 1}\n? *k\n: 1\n", "a key is a list or a map", 2, 3),
        (f"a: {'9' * 5000}\n", "a number of 5000 digits", 1, 4),
    ],
)
def test_what_no_configuration_may_hold(text: str, words: str, line: int, column: int) -> None:
    problem = problem_of(text)
    assert words in problem.message
    assert problem.where is not None
    assert (problem.where.line, problem.where.column) == (line, column)


def test_collections_accept_their_own_tags() -> None:
    assert parse_yaml("a: !!map {b: !!seq [1]}", "f.yaml") == {"a": {"b": [1]}}


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_nesting_is_bounded(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    assert parse_yaml(opening * MAX_DEPTH + closing * MAX_DEPTH, "f.yaml")
    assert "200 levels" in problem_of(opening * 100_000).message


def test_nesting_is_bounded_through_aliases() -> None:
    half = "[" * 120
    text = f"a: &a {half}{']' * 120}\nb: {half} *a {']' * 120}\n"
    assert "200 levels" in problem_of(text).message


def test_an_alias_bomb_is_refused() -> None:
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 30)]
    assert "aliases expand to more than" in problem_of("\n".join(bomb)).message


def test_many_small_aliases_are_fine() -> None:
    text = "checks: &checks [{type: contains, value: x}]\ntests:\n" + "  - assert: *checks\n" * 20_000
    assert len(parse_yaml(text, "f.yaml")["tests"]) == 20_000


def test_files_are_read_as_utf8_without_mark(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9")
    assert read_text(file) == "a: é"


@pytest.mark.parametrize(
    ("content", "words", "line"),
    [
        (b"a\nb\nc \xff d", "byte 0xff at offset 6", 3),
        (b"\xff\xfea\x00", "UTF-16", 1),
        (b"\xc3", "byte 0xc3 at offset 0", 1),
    ],
)
def test_a_file_that_is_not_utf8(tmp_path: Path, content: bytes, words: str, line: int) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_text(str(file))
    (problem,) = caught.value.problems
    assert words in problem.message
    assert problem.where is not None
    assert (problem.where.path, problem.where.line) == (str(file), line)


@pytest.mark.parametrize(("name", "words"), [("none.yaml", "not found"), (".", "a folder"), ("a\0b", "cannot be read")])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_text(f"{tmp_path}/{name}")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(tmp_path / "nowhere" / "f.yaml")
    assert f"{tmp_path / 'nowhere'}" in (caught.value.problems[0].hint or "")


def test_a_repeated_json_key_names_both_lines() -> None:
    with pytest.raises(ConfigError, match=r"f\.json:9:4: the key `a` stands twice in one map, on lines 8 and 9"):
        parse_json('[{"a": 1,\n   "a": 2}]', "f.json", first_line=8)

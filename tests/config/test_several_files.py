"""Several configuration files as one: what is found, how it is put together, and whose place a problem has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.explaining import render_problems
from sagemaker_eval.config.loading import Overrides, load
from sagemaker_eval.config.merging import merged_documents
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Suite, UserCode

NAMES = KnownNames(("custom", "openai"), ("custom",), ("contains", "equals"), (".json", ".csv"))

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file into the working folder, which is a fresh one."""
    monkeypatch.chdir(tmp_path)

    def writer(name: str, text: str) -> str:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    return writer


def loaded(
    *paths: str, environ: Mapping[str, str] | None = None, notices: list[str] | None = None, **overrides: Any
) -> Suite:
    told = [] if notices is None else notices
    return load(paths, Overrides(**overrides), environ or {}, NAMES, told.append)


def refused(*paths: str, **overrides: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(*paths, **overrides)
    return render_problems(caught.value)


def words(suite: Suite) -> list[Json]:
    return [test.vars.get("word") for test in suite.tests]


def test_prompts_providers_tests_and_outputs_add_up_in_order(write: Write) -> None:
    one = write("one.yaml", "{prompts: A, providers: [echo], tests: [{vars: {word: 1}}], outputPath: a.json}")
    two = write(
        "two.yaml",
        "{prompts: [B], providers: ['sagemaker:x'], tests: [{vars: {word: 2}}], outputPath: [b.csv, a.json]}",
    )
    suite = loaded(one, two)

    assert [prompt.raw for prompt in suite.prompts] == ["A", "B"]
    assert [provider.id for provider in suite.providers] == ["echo", "sagemaker:x"]
    assert words(suite) == [1, 2] and len(suite.tests) == 2
    assert suite.output_paths == ("a.json", "b.csv")
    assert words(loaded(two, one)) == [2, 1]


def test_repetitions_count_once(write: Write) -> None:
    one = write("one.yaml", "{prompts: [A, B], providers: [echo]}")
    two = write("two.yaml", "{prompts: [B, C], targets: [echo, {id: echo, label: E}]}")
    notices: list[str] = []
    suite = loaded(one, two, notices=notices)

    assert [prompt.raw for prompt in suite.prompts] == ["A", "B", "C"]
    assert [provider.name for provider in suite.providers] == ["echo", "E"]
    assert notices == [
        "the prompt `B` is given more than once: it is sent once",
        "the provider `echo` is given more than once: it is asked once",
    ]


def test_one_file_with_repetitions_means_the_same_however_it_is_found(write: Write) -> None:
    path = write("sageval.yaml", "{prompts: [A, A], providers: [echo, echo]}")

    for suite in (loaded(path), loaded("."), loaded()):
        assert (len(suite.prompts), len(suite.providers)) == (1, 1)


def test_every_path_is_relative_to_the_file_that_it_stands_in(write: Write) -> None:
    for name in ("a", "b"):
        write(f"{name}/say.txt", f"Say {name}: {{{{word}}}}")
        write(f"{name}/tests.csv", f"word\n{name}1\n")
        write(f"{name}/more.yaml", f"- vars: {{word: {name}2}}")
        write(f"{name}/word.txt", f"{name}3")
        write(f"{name}/shout.js", "module.exports = (text) => text")
        write(
            f"{name}/sageval.yaml",
            "prompts: [file://say.txt]\nproviders: [echo]\n"
            f"nunjucksFilters: {{shout_{name}: shout.js}}\n"
            "tests: [file://tests.csv, more.yaml, {vars: {word: file://word.txt}}]",
        )
    suite = loaded("a", "b")

    assert [prompt.raw for prompt in suite.prompts] == ["Say a: {{word}}", "Say b: {{word}}"]
    assert words(suite) == ["a1", "a2", "a3", "b1", "b2", "b3"]
    assert suite.filters == {
        "shout_a": UserCode("file://shout.js", "a"),
        "shout_b": UserCode("file://shout.js", "b"),
    }


def test_maps_of_prompts_are_put_together_and_not_mixed_with_lists(write: Write) -> None:
    one = write("one.yaml", "{prompts: {Say A: a}, providers: [echo]}")
    two = write("two.yaml", "{prompts: {Say B: b}}")
    three = write("three.yaml", "description: x\nprompts: [Say C]")

    assert [prompt.label for prompt in loaded(one, two).prompts] == ["a", "b"]
    assert refused(one, two, three).startswith("three.yaml:2:10: `prompts` are a map in one file and a list in another")


def test_default_tests_are_put_together(write: Write) -> None:
    one = write(
        "one.yaml",
        "{providers: [echo], metadata: {m: 0, n: 0}, tests: [{vars: {x: 1}}],"
        " defaultTest: {threshold: 0.5, vars: {a: 1, b: 1}, metadata: {m: 1},"
        " options: {prefix: p, suffix: s}, assert: [{type: equals, value: 1}]}}",
    )
    two = write(
        "two.yaml",
        "{metadata: {n: 2}, defaultTest: {vars: {b: 2}, options: {suffix: t}, assert: [{type: contains, value: c}]}}",
    )
    (test,) = loaded(one, two).tests

    assert test.vars == {"a": 1, "b": 2, "x": 1}
    assert test.options == {"prefix": "p", "suffix": "t"}
    assert test.metadata == {"m": 1, "n": 2}
    assert test.threshold == 0.5
    assert [spec.kind for spec in test.assertions] == ["equals", "contains"]


def test_a_default_test_in_a_file_replaces_all_others(write: Write) -> None:
    write("sub/default.json", '{"vars": {"b": "{{env.B}}"}, "threshold": 1}')
    one = write("one.yaml", "{providers: [echo], defaultTest: {vars: {a: 1}}}")
    two = write("sub/two.yaml", "{env: {B: 2}, defaultTest: file://default.json}")
    notices: list[str] = []

    for order in ((one, two), (two, one)):
        (test,) = loaded(*order, notices=notices).tests
        assert (test.vars, test.threshold) == ({"b": "2"}, 1)
    told = "`defaultTest` of `one.yaml` has no effect: that of `sub/two.yaml` is a file, which replaces it"
    assert set(notices) == {told}


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("file://none.yaml", "a.yaml:1:34: the file of `file://none.yaml` does not exist"),
        ("default.yaml", "a.yaml:1:34: `defaultTest` must be a map, or a path after `file://`"),
        ("file://default.txt", "a.yaml:1:34: `file://default.txt` ends neither in"),
        ("file://list.yaml", "list.yaml: a default test must be a map, not a list"),
        ("file://wrong.yaml", "wrong.yaml:3:5: unknown key `typ` in an assertion"),
    ],
)
def test_files_that_hold_no_default_test(write: Write, reference: str, problem: str) -> None:
    write("default.txt", "")
    write("list.yaml", "[]")
    write("wrong.yaml", "vars: {a: 1}\nassert:\n  - typ: equals\n    type: equals\n")

    assert problem in refused(write("a.yaml", f"{{providers: [echo], defaultTest: {reference}}}"))


def test_a_default_test_in_a_file_may_have_references(write: Write) -> None:
    write("default.yaml", "vars: {a: 1, b: {$ref: '#/vars/a'}}")
    (test,) = loaded(write("a.yaml", "{providers: [echo], defaultTest: file://default.yaml}")).tests

    assert test.vars == {"a": 1, "b": 1}


def test_settings_are_put_together_by_key(write: Write) -> None:
    one = write(
        "one.yaml",
        "{providers: [echo], description: One, env: {A: 1, B: 1}, tags: {t: 1, u: 1}, cache: false, maxErrorRate: 5%,"
        " evaluateOptions: {repeat: 2, delay: 5}, commandLineOptions: {maxConcurrency: 2}}",
    )
    two = write(
        "two.yaml",
        "{description: Two, env: {B: 2}, tags: {u: 2}, maxErrorRate: 10%,"
        " evaluateOptions: {repeat: 3}, commandLineOptions: {maxConcurrency: null}}",
    )
    suite = loaded(one, two)

    assert suite.description == "One, Two"
    assert suite.env == {"A": "1", "B": "2"}
    assert (suite.repeat, suite.max_concurrency, suite.cache, suite.max_error_rate) == (3, 2, False, 0.1)
    assert suite.providers[0].delay_ms == 5
    assert suite.document["tags"] == {"t": 1, "u": 2}
    assert suite.document["evaluateOptions"] == {"repeat": 3, "delay": 5}


def test_the_environment_of_all_files_counts_in_all_of_them(write: Write) -> None:
    one = write("one.yaml", "{providers: [echo], env: {A: one}, prompts: ['{{env.A}} {{env.B}}']}")
    two = write("two.yaml", "{env: {A: two, B: b}}")

    assert [prompt.raw for prompt in loaded(one, two).prompts] == ["two b"]


def test_filters_of_one_name_are_those_of_the_last_file(write: Write) -> None:
    write("b.py", "")
    one = write("one.yaml", "{providers: [echo], filters: {f: 'python: value', g: 'python: value'}}")
    two = write("two.yaml", "filters: {f: file://b.py:up}")

    assert {name: code.source for name, code in loaded(one, two).filters.items()} == {
        "f": "file://b.py:up",
        "g": "python: value",
    }


def test_problems_of_all_files_have_the_places_of_their_files(write: Write) -> None:
    one = write("one.yaml", "providers: [echo]\npromts: a\ntests:\n  - assert: [{type: nonsense}]\n")
    two = write("two.yaml", "providers: [sagemakr]\ntests:\n  - vars: {}\n  - asert: []\n")
    shown = refused(one, two)

    assert [line for line in shown.splitlines() if line.startswith(("one", "two"))] == [
        "one.yaml:2:1: unknown key `promts` at the top level",
        "one.yaml:4:21: unknown assertion type `nonsense`",
        "two.yaml:1:13: unknown provider `sagemakr`",
        "two.yaml:4:5: unknown key `asert` in a test",
    ]


def test_labels_must_differ_over_all_files(write: Write) -> None:
    one = write("one.yaml", "providers: [{id: echo, label: A}]\nprompts: [{raw: x, label: P}]")
    two = write("two.yaml", "providers: [{id: 'sagemaker:x', label: A}]\nprompts: [{raw: y, label: P}]")
    shown = refused(one, two)

    assert "the label `A` is already that of the provider at one.yaml:1:31" in shown
    assert "the label `P` is already that of the prompt at one.yaml:2" in shown


def test_broken_files_are_all_told(write: Write) -> None:
    shown = refused(write("one.yaml", "- a"), write("two.json", "{"), "none.yaml")

    assert "one.yaml: the configuration must be a map" in shown
    assert "two.json:1:2: invalid JSON" in shown
    assert "none.yaml: the configuration file does not exist" in shown


def test_globs_are_sorted_and_a_file_is_read_once(write: Write) -> None:
    for name in "cab":
        write(f"configs/{name}.yaml", f"{{providers: [echo], tests: [{{vars: {{word: {name}}}}}]}}")
    notices: list[str] = []

    assert words(loaded("configs/*.yaml")) == ["a", "b", "c"]
    assert words(loaded("configs/c.yaml", "configs/*.yaml", notices=notices)) == ["c", "a", "b"]
    assert notices[0] == "the configuration `configs/c.yaml` is given more than once: it is read once"


def test_references_stay_within_their_file(write: Write) -> None:
    one = write("one.yaml", "{providers: [echo], shared: {word: 1}, tests: [{vars: {$ref: '#/shared'}}]}")
    two = write("two.yaml", "tests: [{vars: {$ref: '#/shared'}}]")

    assert words(loaded(one)) == [1]
    assert "two.yaml:1:23: `$ref` leads nowhere: there is no `#/shared`" in refused(one, two)


def test_tests_of_the_command_line_stand_alone(write: Write) -> None:
    one = write("one.yaml", "{providers: [echo], tests: [{vars: {word: 1}}]}")
    scenario = "{config: [{vars: {word: 3}}], tests: [{vars: {x: 1}}]}"
    two = write("two.yaml", f"scenarios: [{scenario}]")
    write("mine.csv", "word\nmine\n")

    assert words(loaded(one, two)) == [1, 3]
    assert words(loaded(two, one)) == [1, 3]
    assert words(loaded(two, providers=("echo",))) == [3]
    assert words(loaded(one, two, tests="mine.csv")) == ["mine"]


def test_a_file_without_tests_leaves_those_of_the_others_alone(write: Write) -> None:
    one = write("one.yaml", "{providers: [echo], tests: []}")
    two = write("two.yaml", "tests: [{vars: {word: 2}}]")

    assert words(loaded(one, two)) == [2]
    assert "there are no tests" in refused(one)
    assert "one.yaml:1:28: there are no tests" in refused(one, write("three.yaml", "description: x"))


def test_the_recorded_document_is_that_of_all_files_with_secrets_masked(write: Write) -> None:
    one = write("one.yaml", "{targets: [echo], prompts: a, env: {API_KEY: secret-value}}")
    two = write("two.yaml", "{providers: ['sagemaker:x'], prompts: [say secret-value], description: both}")

    assert loaded(one, two).document == {
        "providers": ["echo", "sagemaker:x"],
        "prompts": ["a", "say ***"],
        "env": {"API_KEY": "***"},
        "description": "both",
    }


_LISTS = st.lists(st.integers(), max_size=3)
_MAPS = st.dictionaries(st.sampled_from("abc"), st.integers(), max_size=3)
_DEFAULT_TESTS = st.fixed_dictionaries({}, optional={"vars": _MAPS, "assert": _LISTS, "threshold": st.integers()})
_DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "providers": _LISTS,
        "tests": st.one_of(st.text(), _LISTS),
        "outputPath": st.one_of(st.text(), _LISTS),
        "scenarios": _LISTS,
        "env": _MAPS,
        "commandLineOptions": _MAPS,
        "description": st.text(),
        "maxErrorRate": st.integers(),
        "defaultTest": st.one_of(st.text(), _DEFAULT_TESTS),
    },
)


@given(_DOCUMENTS, _DOCUMENTS, _DOCUMENTS)
def test_merging_is_associative(one: Json, two: Json, three: Json) -> None:
    assert merged_documents([merged_documents([one, two]), three]) == merged_documents([one, two, three])
    assert merged_documents([one, merged_documents([two, three])]) == merged_documents([one, two, three])


@given(st.lists(_DOCUMENTS, min_size=1, max_size=5))
def test_lists_keep_the_order_of_the_files(documents: list[Json]) -> None:
    expected = [item for document in documents for item in document.get("scenarios", [])]
    assert merged_documents(documents).get("scenarios", []) == expected

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.sandbox import script as script_module
from sagemaker_eval.sandbox.script import SandboxScript, load_script


def parse(text: str) -> SandboxScript:
    return SandboxScript.parse(parse_yaml(text, "script.yaml"), "script.yaml")


def problem(text: str) -> Problem:
    """The only problem of a script."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    (found,) = caught.value.problems
    return found


def test_the_example_in_the_documentation_is_a_script() -> None:
    documentation = script_module.__doc__ or ""
    example = documentation[documentation.index("    endpoints:") : documentation.index("Without a script")]

    script = parse(example)

    assert script.lacks("gone-x")
    rule = script.rule_for("mistral-7b")
    assert (rule.shape, rule.latency, rule.jitter, rule.seed) == ("tgi", 120, 30, 7)
    assert [setting.name for setting in rule.faults] == ["throttling", "modelError", "unavailable"]
    assert [answer.pattern.pattern for answer in rule.answers] == [r"about (\w+)", "json", "poison"]


def test_an_empty_file_is_the_script_of_a_sandbox_that_simply_works(tmp_path: Path) -> None:
    file = tmp_path / "script.yaml"
    file.write_text("# nothing yet\n")

    script = load_script(str(file))

    assert script == SandboxScript.parse(None, "other.yaml")
    assert not script.lacks("anything")


def test_a_file_that_is_not_there_is_a_problem_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="file not found"):
        load_script(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("text", "message", "hint", "pointer"),
    [
        ("[]", "a sandbox script must be a map, not a list", None, ()),
        ("endpoint: {}", "unknown key `endpoint` in a sandbox script", "did you mean `endpoints`?", ("endpoint",)),
        (
            "endpoints: {a: {faults: {thottling: 1}}}",
            "unknown key `thottling` in `faults`",
            "did you mean `throttling`?",
            ("endpoints", "a", "faults", "thottling"),
        ),
        (
            "endpoints: {a: {shape: tgii}}",
            "unknown shape `tgii`",
            "did you mean `tgi`?",
            ("endpoints", "a", "shape"),
        ),
        (
            "endpoints: {a: {answers: [{fault: throtling}]}}",
            "unknown fault `throtling`",
            "did you mean `throttling`?",
            ("endpoints", "a", "answers", 0, "fault"),
        ),
        (
            "endpoints: {a: {answers: [{pattern: '[', answer: x}]}}",
            "`pattern` must be a regular expression (unterminated character set at position 0), not the text `[`",
            None,
            ("endpoints", "a", "answers", 0, "pattern"),
        ),
        (
            r"endpoints: {a: {answers: [{pattern: '(a)', answer: '\2'}]}}",
            "`answer` refers to group `2`, which `pattern` does not have",
            "its groups are 1 to 1; a group is written `(...)`",
            ("endpoints", "a", "answers", 0, "answer"),
        ),
        (
            "endpoints: {a: {faults: {throttling: 1.5}}}",
            "`share` must be at most 1, not the number `1.5`",
            None,
            ("endpoints", "a", "faults", "throttling", "share"),
        ),
        (
            "endpoints: {a: {latency: fast}}",
            "`latency` must be a number, not the text `fast`",
            None,
            ("endpoints", "a", "latency"),
        ),
        ("missing: gone", "`missing` must be a list, not the text `gone`", None, ("missing",)),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    text: str, message: str, hint: str | None, pointer: tuple[str | int, ...]
) -> None:
    found = problem(text)

    assert (found.message, found.hint) == (message, hint)
    assert found.where is not None
    assert (found.where.path, found.where.pointer) == ("script.yaml", pointer)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("{pattern: a}", "must have exactly one of `answer`, `body` and `fault`"),
        ("{answer: a, body: b}", "must have exactly one of `answer`, `body` and `fault`"),
        ("{answer: a, status: 400}", "may have `contentType` and `status` only together with `body`"),
    ],
)
def test_an_answer_is_one_thing(answer: str, message: str) -> None:
    assert message in problem(f"endpoints: {{a: {{answers: [{answer}]}}}}").message


def test_shares_of_faults_leave_no_more_than_everything() -> None:
    found = problem("endpoints: {a: {faults: {throttling: 0.7, timeout: 0.4}}}")

    assert found.message.startswith("`faults` must have shares that add up to 1 at most (they add up to 1.1)")


def test_a_status_of_a_model_error_is_one() -> None:
    assert "400 to 599" in problem("endpoints: {a: {faults: {modelError: {share: 1, status: 200}}}}").message


def test_all_problems_of_all_endpoints_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("endpoints: {a: {shape: nope}, b: {answers: [{fault: nope}, {fault: never}]}}")

    assert len(caught.value.problems) == 3


def test_the_identity_is_that_of_the_content() -> None:
    one = parse("endpoints: {a: {faults: {throttling: 0.3}}}").identity
    same = parse('endpoints:\n  "a":\n    faults: {throttling: {share: 0.3}} # a comment').identity
    others = [
        parse("endpoints: {a: {faults: {throttling: 0.4}}}").identity,
        parse("endpoints: {b: {faults: {throttling: 0.3}}}").identity,
        parse("").identity,
    ]

    assert one == same
    assert one.startswith("sandbox:") and len(one) == len("sandbox:") + 64
    assert len({one, *others}) == 4


def test_the_order_of_endpoints_matters_to_the_identity() -> None:
    assert parse("endpoints: {a: {seed: 1}, '*': {}}").identity != parse("endpoints: {'*': {}, a: {seed: 1}}").identity


def test_keys_for_anchors_are_allowed() -> None:
    script = parse("x-slow: &slow {latency: 5}\nendpoints: {a: *slow}")

    assert script.rule_for("a").latency == 5

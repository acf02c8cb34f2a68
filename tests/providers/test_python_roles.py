"""What the user's own Python offers to assertions: an embedder and a classifier beside the text function."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from sagemaker_eval.errors import CaseError, ConfigError, ScriptError
from sagemaker_eval.model import Call, CustomOptions, ProviderSpec, Response, TokenUsage, UserCode
from sagemaker_eval.providers.base import PROVIDERS
from sagemaker_eval.providers.services import Services
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.session import Targets

Ask = Callable[..., Response]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """`ask(role, script, suffix)`: the response of the script in a role to the text `tea`."""

    def asked(role: str, script: str, suffix: str = "") -> Response:
        (tmp_path / "p.py").write_text(script)
        code = UserCode(f"file://p.py{suffix}", str(tmp_path))
        kind = f"python:{role}"
        spec = ProviderSpec("file://p.py", kind, options=CustomOptions(code))
        services = Services(ConnectionPool(1), Targets({}, lambda notice: None))
        return asyncio.run(PROVIDERS.get(kind)(spec, services).answer(Call("tea")))

    return asked


@pytest.mark.parametrize(
    "head", ["def call_embedding_api(text)", "async def call_embedding_api(text, options, context)"]
)
def test_an_embedder_gives_a_vector(ask: Ask, head: str) -> None:
    script = f"{head}:\n    return {{'embedding': [len(text), 0.5], 'tokenUsage': {{'prompt': 2}}}}\n"
    response = ask("embedding", script)
    assert (response.output, response.usage) == ([3, 0.5], TokenUsage(prompt=2, requests=1))


def test_an_array_of_numpy_is_a_vector(ask: Ask) -> None:
    script = "import numpy\n\ndef call_embedding_api(text):\n    return {'embedding': numpy.array([0.5, 1])}\n"
    assert ask("embedding", script).output == [0.5, 1.0]


def test_a_classifier_gives_scores_of_labels(ask: Ask) -> None:
    script = "def call_classification_api(text):\n    return {'classification': {'calm': 0.9, 'angry': 0.1}}\n"
    assert ask("classification", script).output == {"calm": 0.9, "angry": 0.1}


def test_another_function_may_be_named(ask: Ask) -> None:
    assert ask("embedding", "def mine(text):\n    return {'embedding': [1.0]}\n", ":mine").output == [1.0]


def test_a_text_function_alone_is_not_enough(ask: Ask) -> None:
    with pytest.raises(ConfigError, match="call_embedding_api"):
        ask("embedding", "def call_api(prompt):\n    return {'output': prompt}\n")


def test_an_error_that_it_tells_is_an_error(ask: Ask) -> None:
    with pytest.raises(CaseError, match=r"^too long$"):
        ask("embedding", "def call_embedding_api(text):\n    return {'error': 'too long'}\n")


@pytest.mark.parametrize(
    ("role", "function", "returned", "message"),
    [
        ("embedding", "call_embedding_api", "{}", "the provider returned neither `embedding` nor `error`"),
        ("classification", "call_classification_api", "{}", "neither `classification` nor `error`"),
        ("embedding", "call_embedding_api", "[1.0]", "a value of type `list` instead of a dict"),
        ("embedding", "call_embedding_api", "{'embedding': [float('nan')]}", "as `embedding` what is not JSON: NaN"),
    ],
)
def test_what_is_no_answer_is_an_error(ask: Ask, role: str, function: str, returned: str, message: str) -> None:
    with pytest.raises(ScriptError) as raised:
        ask(role, f"def {function}(text):\n    return {returned}\n")
    assert message in raised.value.message


def test_the_hint_shows_what_to_return(ask: Ask) -> None:
    with pytest.raises(ScriptError) as raised:
        ask("embedding", "def call_embedding_api(text):\n    return {}\n")
    assert raised.value.hint == ('return a dict such as `{"embedding": [0.1, 0.2]}` or `{"error": "what went wrong"}`')

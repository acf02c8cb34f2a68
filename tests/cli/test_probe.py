"""`sageval probe`: how an endpoint wants to be asked, and the provider that does so."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.cli import probing
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Ran

SCRIPT = """
endpoints:
  tgi: {shape: tgi}
  toolkit: {shape: toolkit}
  llama2: {shape: llama2}
  flan-t5: {shape: text2text}
  own: {shape: custom}
  claude: {shape: anthropic}
  vectors: {shape: embedding}
  tokens: {shape: features}
  vllm: {shape: openai, deployment: {image: example.com/vllm:1}}
  nested: {answers: [{body: {id: abc-1, custom: {nested: {words: Paris is the capital.}}}}]}
  echo: {answers: [{body: {output: 'In one short sentence, what is the capital of France?'}}]}
  refusing: {answers: [{body: {error: no such field}, status: 422}]}
  failed: {deployment: {status: Failed, failureReason: No ping.}}
  parts: {deployment: {components: [base, adapter]}}
  closed: {deployment: {denied: [DescribeEndpoint]}}
  denied: {faults: {accessDenied: 1.0}}
missing: [gone]
"""


@pytest.fixture
def probe(cli: Cli) -> Callable[..., Ran]:
    """`sageval probe` of an endpoint of the script above."""
    cli.write("script.yaml", SCRIPT)
    return lambda *arguments: cli("probe", *arguments, "--sandbox-script", "script.yaml")


def block_of(out: str) -> str:
    return out[out.index("providers:") :]


@pytest.mark.parametrize(
    ("arguments", "best"),
    [
        (("tgi",), "openai chat"),
        (("sagemaker:huggingface:tgi",), "huggingface"),
        (("toolkit",), "huggingface"),
        (("llama2", "--set", "customAttributes=accept_eula=true"), "llama dialog"),
        (("flan-t5",), "text_inputs"),
        (("own",), "custom prompt"),
        (("claude",), "anthropic"),
        (("vectors",), "openai embedding"),
        (("tokens",), "huggingface embedding"),
        (("nested",), "openai chat"),
        (("parts", "--inference-component", "adapter", "--stream"), "openai chat"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value,
)
def test_the_provider_that_is_printed_works_as_it_is(
    probe: Callable[..., Ran], cli: Cli, arguments: tuple[str, ...], best: str
) -> None:
    probed = probe(*arguments)
    assert probed.code == 0, probed.err
    assert f"\nbest: {best}\n" in probed.out
    cli.write("sageval.yaml", f"{block_of(probed.out)}\nprompts: ['{{{{q}}}}']\ntests: [{{vars: {{q: Why?}}}}]\n")
    ran = cli.eval("--sandbox-script", "script.yaml", "-o", "out.json")
    assert ran.code == 0, ran.err
    assert cli.rows()[0]["response"]["output"]


def test_the_path_to_the_text_of_an_unknown_shape_is_part_of_the_provider(probe: Callable[..., Ran]) -> None:
    assert "      responseFormat:\n        path: $.custom.nested.words\n" in block_of(probe("nested").out)


def test_what_is_known_of_the_endpoint_decides_what_is_sent(probe: Callable[..., Ran]) -> None:
    probed = probe("vllm").out
    assert "  image       vllm (vLLM)\n" in probed
    assert "\n3 requests to send, each a real call;" in probed


def test_refusals_are_told_in_a_line_each(probe: Callable[..., Ran]) -> None:
    lines = probe("toolkit").out.splitlines()
    refused = lines[lines.index("openai chat: refused") + 1]
    assert "the model container answered 400 (ModelError)" in refused and "text generation needs `inputs`" in refused


@pytest.mark.parametrize("endpoint", ["refusing", "echo"])
def test_an_endpoint_that_no_format_suits_is_told_with_the_way_out(probe: Callable[..., Ran], endpoint: str) -> None:
    probed = probe(endpoint)
    assert probed.code == 3
    assert f"error: `{endpoint}` works in none of the 12 formats that were tried (12 calls)" in probed.err
    assert "best:" not in probed.out


def test_an_endpoint_that_takes_no_calls_is_not_called(probe: Callable[..., Ran]) -> None:
    probed = probe("failed")
    assert (probed.code, probed.out.splitlines()[1]) == (2, "  status      Failed: No ping.")
    assert "error: endpoint `failed` takes no calls" in probed.err
    assert "to send" not in probed.out


def test_one_of_several_components_has_to_be_chosen(probe: Callable[..., Ran]) -> None:
    probed = probe("parts")
    assert (probed.code, "choose one with `--inference-component`: `base`, `adapter`" in probed.err) == (2, True)


def test_an_endpoint_that_may_not_be_described_is_asked_all_the_same(probe: Callable[..., Ran]) -> None:
    probed = probe("closed")
    assert (probed.code, "may not `sagemaker:DescribeEndpoint`" in probed.err) == (0, True)


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ("denied", "access denied to endpoint `denied`"),
        ("gone", "endpoint `gone` not found"),
        ("llama2", "accept_eula"),
    ],
)
def test_what_no_format_can_survive_ends_it_after_one_call(probe: Callable[..., Ran], endpoint: str, told: str) -> None:
    probed = probe(endpoint)
    assert (probed.code, told in probed.err) == (2, True)
    assert "refused" not in probed.out


def test_json_has_it_all_and_nothing_else_is_printed(probe: Callable[..., Ran]) -> None:
    document = json.loads(probe("toolkit", "--json", "--stream").out)
    assert document["recommended"]["provider"] == {"id": "sagemaker:huggingface:toolkit"}
    assert document["recommended"]["streams"] is False
    [asked] = [trial for trial in document["trials"] if trial["format"] == "huggingface"]
    assert asked["works"] and asked["request"]["inputs"] == probing.PROMPT and asked["ownShape"]
    assert json.loads(probe("echo", "--json").out)["recommended"] is None


@pytest.mark.parametrize(("reply", "code"), [("\n", 0), ("n\n", 2)])
def test_at_a_terminal_nothing_is_sent_unasked(cli: Cli, reply: str, code: int) -> None:
    cli.write("script.yaml", SCRIPT)
    said, ended = at_a_terminal(["probe", "vllm", "--sandbox-script", "script.yaml"], reply)
    before, after = said.split("Send these requests?")
    assert "3 requests to send" in before and "answered in" not in before
    assert (ended, "answered in" in after, "nothing was sent" in after) == (code, code == 0, code == 2)


def test_at_a_terminal_yes_is_an_answer_given_in_advance(cli: Cli) -> None:
    cli.write("script.yaml", SCRIPT)
    said, ended = at_a_terminal(["probe", "vllm", "--sandbox-script", "script.yaml", "--yes"], "")
    assert (ended, "Send these requests?" in said) == (0, False)


def at_a_terminal(arguments: list[str], reply: str) -> tuple[str, int]:
    """What the command says at a terminal, and its exit code; the reply waits there from the start."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sagemaker_eval", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, reply.encode())
        said = ""
        while text := _read(ours):
            said += text
    os.close(ours)
    return said, process.returncode


def _read(terminal: int) -> str:
    """What was written next; nothing once the command has ended, which Linux tells by an error."""
    try:
        return os.read(terminal, 4096).decode("utf-8", "replace")
    except OSError:
        return ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("tgi", "--set", "chat=true"), "--set takes no `chat`"),
        (("tgi", "--set", "secretAccessKey=abc"), "--set takes no `secretAccessKey`"),
        (("tgi", "--set", "maxTokens=many"), "`maxTokens` must be a whole number"),
        (("file://provider.py",), "is no endpoint that could be probed"),
        (("sagemaker:a b",), "`a b` must be an endpoint's name"),
        (("container:http://127.0.0.1:1", "--region", "us-east-1"), "`region` means nothing to a container"),
    ],
)
def test_options_that_cannot_be_used_are_refused(
    probe: Callable[..., Ran], arguments: tuple[str, ...], told: str
) -> None:
    probed = probe(*arguments)
    assert (probed.code, probed.out, told in probed.err) == (2, "", True)


def test_a_container_where_nothing_listens_is_told_at_once(cli: Cli) -> None:
    probed = cli("probe", "container:http://127.0.0.1:9")
    assert (probed.code, "nothing listens at http://127.0.0.1:9/invocations" in probed.err) == (2, True)


def test_the_region_that_was_asked_is_part_of_the_provider(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve(SCRIPT)
    probed = cli("probe", "tgi")
    assert (probed.code, "      region: us-east-1\n" in block_of(probed.out)) == (0, True)
    assert sandbox.count("tgi") == 12


class _Container(BaseHTTPRequestHandler):
    """A model container that knows `inputs` alone."""

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = "inputs" in document and "parameters" in document
        body = json.dumps([{"generated_text": "Paris."}] if known else {"error": "missing field `inputs`"}).encode()
        self.send_response(200 if known else 422)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


def test_a_container_is_probed_without_aws(cli: Cli) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Container) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        probed = cli("probe", f"container:{url}")
        server.shutdown()
    assert (probed.code, probed.err) == (0, "")
    assert "openai chat: refused\n  the container answered 422: missing field `inputs`\n" in probed.out
    assert block_of(probed.out).splitlines()[1] == f"  - id: container:huggingface:{url}"

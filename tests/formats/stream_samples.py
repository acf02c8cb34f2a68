"""One stream of each dialect, literally as containers send it, and the document that it stands for."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sagemaker_eval.model import Json

TEXT = " Olá, 世界 👩‍🚀 “fin”"


@dataclass(frozen=True)
class Sample:
    """A stream, what it stands for, and how many pieces of text are in it; `marked` says that its end is marked."""

    body: bytes
    document: Json
    pieces: int
    marked: bool = True
    content_type: str = ""


def compact(document: Json, ascii_only: bool = False) -> str:
    return json.dumps(document, ensure_ascii=ascii_only, separators=(",", ":"))


def sse(*documents: Json, end: str = "\n", space: str = " ", ascii_only: bool = False) -> bytes:
    lines = (f"data:{space}{d if isinstance(d, str) else compact(d, ascii_only)}{end}{end}" for d in documents)
    return "".join(lines).encode()


def json_lines(*documents: Json, end: str = "\n") -> bytes:
    return ("\n".join(map(compact, documents)) + end).encode()


def tgi_token(index: int, text: str, **more: Json) -> dict[str, Json]:
    token = {"id": 7, "text": text, "logprob": -0.5, "special": more.pop("special", False)}
    return {"index": index, "token": token, "generated_text": None, "details": None, **more}


def lmi_token(text: str, **more: Json) -> dict[str, Json]:
    return {"token": {"id": 7, "text": text, "log_prob": -0.25}, **more}


def chunk(delta: dict[str, Json], reason: str | None = None, index: int = 0, **more: Json) -> dict[str, Json]:
    choice = {"index": index, "delta": delta, "finish_reason": reason, **more}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def piece(text: str, reason: str | None = None) -> dict[str, Json]:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}


USAGE = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
DETAILS = {"finish_reason": "eos_token", "generated_tokens": 3, "seed": None, "input_length": 5}
TGI = (tgi_token(1, " Olá, "), tgi_token(2, "世界 👩‍🚀"), tgi_token(3, " “fin”"))
TGI_END = tgi_token(4, "</s>", special=True, generated_text=TEXT, details=DETAILS)
LMI = (lmi_token(" Olá, "), lmi_token("世界 👩‍🚀"), lmi_token(" “fin”"))
LMI_END = lmi_token("", generated_text=TEXT, details=DETAILS)
CHAT = (
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": " Olá, "}),
    chunk({"content": "世界 👩‍🚀"}),
    chunk({"content": " “fin”"}, "stop"),
)
USAGE_CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": USAGE}


def chat_document(**more: Json) -> dict[str, Json]:
    message = {"role": "assistant", "content": TEXT}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **more}


def completion_document() -> dict[str, Json]:
    choice = {"index": 0, "text": TEXT, "logprobs": None, "finish_reason": "length"}
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}


def generated(*events: Json) -> dict[str, Json]:
    return {"generated_text": TEXT, "details": {**DETAILS, "tokens": [event["token"] for event in events]}}


WHOLE = {"generated_text": TEXT, "details": {"finish_reason": "length", "generated_tokens": 2}}

SAMPLES: dict[str, Sample] = {
    "TGI generate": Sample(sse(*TGI, TGI_END, space=""), [generated(*TGI, TGI_END)], 3),
    "TGI generate, CRLF and escapes": Sample(
        sse(*TGI, TGI_END, end="\r\n", ascii_only=True), [generated(*TGI, TGI_END)], 3
    ),
    "chat, SSE": Sample(sse(*CHAT, USAGE_CHUNK, "[DONE]"), chat_document(usage=USAGE), 3),
    "chat, SSE with comments and events": Sample(
        b": ping\n\nevent: message\nid: 1\nretry: 10\n" + sse(*CHAT) + b": ping\n\n" + sse("[DONE]"),
        chat_document(),
        3,
    ),
    "completion, SSE": Sample(
        sse(piece(" Olá, "), piece("世界 👩‍🚀"), piece(" “fin”", "length"), "[DONE]"), completion_document(), 3
    ),
    "LMI generate, JSON lines": Sample(json_lines(*LMI, LMI_END), generated(*LMI, LMI_END), 3),
    "LMI generate without a last line feed": Sample(json_lines(*LMI, LMI_END, end=""), generated(*LMI, LMI_END), 3),
    "LMI chat, JSON lines": Sample(json_lines(*CHAT), chat_document(), 3),
    "outputs, JSON lines": Sample(
        json_lines(*({"outputs": [text]} for text in (" Olá, ", "世界 👩‍🚀", " “fin”"))),
        {"outputs": [TEXT]},
        3,
        marked=False,
    ),
    "a document that was not streamed": Sample(compact(WHOLE).encode(), WHOLE, 0),
    "a document over many lines": Sample(json.dumps([WHOLE], indent=2, ensure_ascii=False).encode(), [WHOLE], 0),
}

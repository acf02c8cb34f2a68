"""The formats in which an endpoint may be asked while nobody knows which one is its own, likeliest first.

Each is written as a provider of a configuration would be, so that what is tried is what can be used afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sagemaker_eval.formats import anthropic, huggingface, jumpstart, llama
from sagemaker_eval.formats.reading import Shape
from sagemaker_eval.model import Json
from sagemaker_eval.sagemaker.container_images import Family
from sagemaker_eval.sagemaker.endpoint_facts import EndpointFacts

_EMBEDS = r"embed|sentence-?similarity|minilm|(?:^|[-_/ ])(?:bge|gte|e5)(?![0-9])"
_COHERE = r"cohere|command-r|rerank"
_TASK_VARIABLES = ("HF_TASK", "OPTION_TASK", "SM_VLLM_TASK", "SM_VLLM_RUNNER")
"""Where containers are told what to do: the Hugging Face toolkit, LMI, vLLM."""

_EMBEDDING_TASK = re.compile(r"embed|feature-extraction|sentence-similarity|pooling")
_TEXT_TASK = re.compile(r"generat|summarization|translation|chat|conversational")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One format. `config` are the keys of a provider's `config` that a request of it takes, beside the model type.

    `native` are the shapes of answers by which its servers are known, `marks` the words in names that make it likelier
    than others. One that is `rare` is plausible only where such a word was found.
    """

    name: str
    model_type: str
    config: Mapping[str, Json] = field(default_factory=dict)
    native: tuple[Shape, ...] = ()
    marks: str | None = None
    embedding: bool = False
    rare: bool = False
    chat: bool = False
    """Whether a prompt is sent as a message, to which the server applies the chat template of the model."""

    def entry(self, kind: str, endpoint: str, settings: Mapping[str, Json]) -> dict[str, Json]:
        """The provider, as a configuration has it, that asks so; `settings` are further keys of its `config`."""
        typed = "embedding" if self.embedding else self.model_type
        config = {"modelType": self.model_type} if self.embedding else {}
        config |= {**settings, **self.config}
        return {"id": f"{kind}:{typed}:{endpoint}", **({"config": config} if config else {})}

    def is_marked(self, words: str) -> bool:
        """Whether names speak for it."""
        return self.marks is not None and re.search(self.marks, words) is not None


CHAT = Candidate("openai chat", "openai", {"chat": True}, (("choices", 0, "message"),), chat=True)
COMPLETION = Candidate("openai completion", "openai", {}, (("choices", 0, "text"),))
HUGGINGFACE = Candidate("huggingface", "huggingface", {}, huggingface.PREFERRED)
JUMPSTART = Candidate("jumpstart", "jumpstart", {}, jumpstart.PREFERRED, "jumpstart|textgeneration")
LLAMA_DIALOG = Candidate(
    "llama dialog",
    "llama",
    {"transform": '[[{role: "user", content: prompt}]]'},
    llama.PREFERRED,
    "llama-?2",
    chat=True,
)
ANTHROPIC = Candidate("anthropic", "anthropic", {}, anthropic.PREFERRED, "claude|anthropic", chat=True)
TEXT_INPUTS = Candidate(
    "text_inputs",
    "custom",
    {"transform": "({text_inputs: prompt})"},
    (("generated_texts", 0),),
    "text2text|flan|(?:^|[-_/ ])t5|alexatm",
    rare=True,
)
COHERE_MESSAGE = Candidate(
    "cohere message", "custom", {"transform": "({message: prompt})"}, (("text",),), _COHERE, rare=True, chat=True
)
PROMPT = Candidate("custom prompt", "custom", {}, (("output",), ("response",), ("text",)))

_TEXT = (
    CHAT,
    COMPLETION,
    HUGGINGFACE,
    JUMPSTART,
    LLAMA_DIALOG,
    ANTHROPIC,
    TEXT_INPUTS,
    COHERE_MESSAGE,
    PROMPT,
)
_EMBEDDINGS = tuple(
    Candidate(f"{name} embedding", name, marks=marks, embedding=True)
    for name, marks in (
        ("openai", _EMBEDS),
        ("huggingface", _EMBEDS),
        ("jumpstart", _EMBEDS),
        ("cohere", f"{_EMBEDS}|{_COHERE}"),
        ("custom", _EMBEDS),
    )
)


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known before anything is sent. `words` are names, in lower case; a model type or `embedding` that is not
    None is certain."""

    words: str = ""
    family: Family | None = None
    model_type: str | None = None
    embedding: bool | None = None


def hints_of(endpoint: str, facts: EndpointFacts | None, component: str | None = None) -> Hints:
    """What the name of an endpoint and its description (None where there is none) say of the model behind it."""
    model = facts.model(component) if facts else None
    environment = model.environment if model else {}
    jumpstart_model = (facts.jumpstart_model if facts else None) or ""
    words = (endpoint, component, jumpstart_model, model.image if model else None, environment.get("HF_MODEL_ID"))
    task = " ".join(environment.get(name, "") for name in _TASK_VARIABLES)
    return Hints(
        words=" ".join(filter(None, words)).lower(),
        family=model.family if model else None,
        embedding=_embeds(f"{task} {jumpstart_model}".lower()),
    )


def plausible(hints: Hints) -> tuple[Candidate, ...]:
    """The formats that are worth a call, likeliest first; a container that is known understands only some of them."""
    fitting = [candidate for candidate in (*_TEXT, *_EMBEDDINGS) if _fits(candidate, hints)]
    if not fitting and hints.family is not None:
        return plausible(replace(hints, family=None))
    return tuple(sorted(fitting, key=lambda candidate: not candidate.is_marked(hints.words)))


def _fits(candidate: Candidate, hints: Hints) -> bool:
    marked = candidate.is_marked(hints.words)
    if hints.embedding not in (None, candidate.embedding):
        return False
    if hints.model_type is not None:
        return candidate.model_type == hints.model_type and (marked or not candidate.rare)
    if candidate.rare:
        return marked
    if hints.family is None:
        return True
    known = candidate.model_type in hints.family.types(candidate.embedding)
    return known and (marked or candidate is not LLAMA_DIALOG)


def _embeds(task: str) -> bool | None:
    """Whether a model makes embeddings or writes text, where its task says so."""
    if _EMBEDDING_TASK.search(task):
        return True
    return False if _TEXT_TASK.search(task) else None

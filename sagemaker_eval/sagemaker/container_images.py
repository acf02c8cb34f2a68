"""Which model server a container image holds, and with which model types it can be asked.

The images are those of AWS Deep Learning Containers and of SageMaker's built-in frameworks, told apart by the name of
their repository ("Available Deep Learning Containers Images", AWS Deep Learning Containers).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """A model server: the model types that it understands, the most natural one first.

    A family without `model_types` makes embeddings only, one without `embedding_types` makes none.
    """

    name: str
    model_types: tuple[str, ...] = ()
    embedding_types: tuple[str, ...] = ()

    def types(self, embedding: bool) -> tuple[str, ...]:
        """The model types for texts, or for embeddings."""
        return self.embedding_types if embedding else self.model_types


_TGI = Family("Text Generation Inference", ("huggingface", "llama", "jumpstart", "openai"))
_TEI = Family("Text Embeddings Inference", embedding_types=("huggingface",))
_LMI = Family("LMI (DJL Serving)", ("huggingface", "jumpstart", "llama", "openai"), ("huggingface", "openai"))
_VLLM = Family("vLLM", ("openai",), ("openai",))
_SGLANG = Family("SGLang", ("openai",), ("openai",))
_TOOLKIT = Family(
    "the Hugging Face inference toolkit", ("huggingface", "jumpstart", "llama"), ("huggingface", "jumpstart")
)
_TRITON = Family("Triton", ("custom",), ("custom",))
_TENSORFLOW = Family("TensorFlow Serving", ("custom",), ("custom",))
_MLFLOW = Family("MLflow", ("custom",))
_TABULAR = Family("a framework for tabular data", ("custom",))

_FAMILIES = (
    (re.compile(r"tgi-|text-generation-inference|-tgi$"), _TGI),
    (re.compile(r"(?:^|[-/])tei(?:-|$)|text-embeddings-inference"), _TEI),
    (re.compile(r"djl-|(?:^|[-/])lmi(?:-|$)"), _LMI),
    (re.compile(r"vllm"), _VLLM),
    (re.compile(r"sglang"), _SGLANG),
    (re.compile(r"huggingface-[\w-]*inference"), _TOOLKIT),
    (re.compile(r"triton"), _TRITON),
    (re.compile(r"tensorflow-inference"), _TENSORFLOW),
    (re.compile(r"mlflow"), _MLFLOW),
    (re.compile(r"xgboost|scikit-learn|linear-learner|lightgbm|catboost|autogluon-inference"), _TABULAR),
)
"""By the repository's name; the first that matches, since names of toolkits are parts of names of servers."""


def repository(image: str) -> str:
    """The name of an image without registry, tag and digest: `djl-inference`."""
    path = image.partition("@")[0]
    host, slash, rest = path.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        path = rest
    folder, slash, name = path.rpartition("/")
    return folder + slash + name.partition(":")[0]


def family_of(image: str | None) -> Family | None:
    """The family of an image, None where its name tells nothing."""
    name = repository(image or "").lower()
    return next((family for pattern, family in _FAMILIES if pattern.search(name)), None)


def better_type(family: Family, model_type: str, embedding: bool) -> str | None:
    """The model type that a container is better asked with; None where `model_type` fits, or where nothing does."""
    types = family.types(embedding)
    return None if not types or model_type in types else types[0]

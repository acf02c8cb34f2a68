"""What moderation endpoints answer: categories of harm that they see in a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_eval.assertions.base import shortened
from sagemaker_eval.assertions.graded.asking import GraderError, Unreadable
from sagemaker_eval.assertions.graded.labels import documents, label_scores
from sagemaker_eval.assertions.graded.reading import answer_of
from sagemaker_eval.model import Json, Response

LLAMA_GUARD = {
    "S1": "Violent Crimes",
    "S2": "Non-Violent Crimes",
    "S3": "Sex-Related Crimes",
    "S4": "Child Sexual Exploitation",
    "S5": "Defamation",
    "S6": "Specialized Advice",
    "S7": "Privacy",
    "S8": "Intellectual Property",
    "S9": "Indiscriminate Weapons",
    "S10": "Hate",
    "S11": "Suicide & Self-Harm",
    "S12": "Sexual Content",
    "S13": "Elections",
    "S14": "Code Interpreter Abuse",
}
"""The hazards of Llama Guard 3, from its model card; the MLCommons taxonomy and one more."""

_HARMLESS = frozenset(
    {"safe", "ok", "okay", "neutral", "clean", "none", "normal", "acceptable", "benign", "harmless", "allowed", "sfw"}
    | {"nontoxic", "nottoxic", "nothate", "nonhate", "nothatespeech", "nonoffensive", "notoffensive", "noharm"}
)
_NO_LABELS = frozenset({"yes", "no", "y", "n", "true", "false", "i", "sorry", "error", "unknown", "na"})
"""Lone words that models answer with and that name no category: whether something was flagged they leave open."""

_FOLDED = re.compile(r"[\W_]+")
_GUARD = re.compile(r"[\s*_`\"'>#]*+(?:(?:response|verdict|label)\s*+:[\s*_`\"']*+)?(safe|unsafe)\b", re.IGNORECASE)
_CODE = re.compile(r"\b[SO]\d{1,2}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Moderated:
    """Whether something was flagged, and as what. `known` are all categories of the endpoint, where it tells them."""

    flagged: bool
    flags: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


def moderated(response: Response, threshold: float) -> Moderated:
    """What a moderation endpoint answered; a category with a score is flagged from `threshold` on.

    Read are: OpenAI's moderation object, Llama Guard's text (`safe`, or `unsafe` and codes), objects with `flagged`,
    `flags` or `safe`, and labels with scores as `label_scores` reads them. Raises `GraderError` for anything else.
    """
    for document in documents(response):
        if (found := _of_document(document)) is not None:
            return found
    if (found := _guarded(response.text)) is not None:
        return found
    scores = _scores(response)
    if scores is None:
        raise GraderError(
            f"the moderation endpoint's answer cannot be read: {shortened(response.text) or 'nothing'}",
            "known are OpenAI's moderation object, Llama Guard's `safe` and `unsafe`, and labels with scores",
        )
    flags = tuple(name for name, score in scores.items() if score >= threshold and not _is_harmless(name))
    return Moderated(bool(flags), flags)


def is_category(wanted: str, flag: str) -> bool:
    """Whether a flag is a category of the user: by its code or by its name, in any case and spelling of blanks."""
    names = {_folded(part) for part in (flag, flag.partition(" ")[0], flag.partition(" ")[2].strip("()")) if part}
    return _folded(wanted) in names


def _of_document(document: Json) -> Moderated | None:
    node = document[0] if isinstance(document, list) and len(document) == 1 else document
    if not isinstance(node, Mapping):
        return None
    results = node.get("results")
    if isinstance(results, list) and results and isinstance(results[0], Mapping):
        node = results[0]
    categories = node.get("categories")
    if isinstance(categories, Mapping) and all(isinstance(value, bool) for value in categories.values()):
        flags = tuple(name for name, value in categories.items() if value)
        return Moderated(bool(flags) or node.get("flagged") is True, flags, tuple(categories))
    if isinstance(node.get("flags"), list):
        flags = tuple(_flag(flag) for flag in node["flags"])
        return Moderated(bool(flags), flags)
    return _of_flag(node)


def _of_flag(node: Mapping[str, Json]) -> Moderated | None:
    flagged, safe = node.get("flagged"), node.get("safe", node.get("is_safe"))
    if isinstance(flagged, bool) or isinstance(safe, bool):
        named = node.get("categories", node.get("category", ()))
        flags = tuple(str(name) for name in (named if isinstance(named, list | tuple) else (named,)) if name)
        bad = flagged if isinstance(flagged, bool) else not safe
        return Moderated(bad, flags if bad else ())
    return None


def _guarded(text: str) -> Moderated | None:
    try:
        answer = answer_of(text)
    except Unreadable:
        return None
    found = _GUARD.match(answer)
    if found is None:
        return None
    if found[1].lower() == "safe":
        return Moderated(False)
    codes = dict.fromkeys(code.upper() for code in _CODE.findall(answer[found.end() :]))
    return Moderated(True, tuple(f"{code} ({LLAMA_GUARD[code]})" if code in LLAMA_GUARD else code for code in codes))


def _scores(response: Response) -> dict[str, float] | None:
    """The labels of an answer; None where it has none, and for a lone word that is no name of a category."""
    word = _folded(response.text)
    if word in _NO_LABELS or word.isdigit():
        return None
    try:
        return label_scores(response)
    except GraderError:
        return None


def _flag(flag: Json) -> str:
    if isinstance(flag, Mapping):
        return str(
            flag.get("code") or flag.get("category") or flag.get("label") or flag.get("description") or "unnamed"
        )
    return str(flag)


def _is_harmless(label: str) -> bool:
    return _folded(label) in _HARMLESS


def _folded(name: str) -> str:
    return _FOLDED.sub("", name).lower()

"""`prompts`: texts, files and objects as prompt templates with labels and ids."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sagemaker_eval.config.explaining import check, listed, located, misshapen, shortened
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.prompt_files import FilePrompt, is_path, load_prompts
from sagemaker_eval.config.schema import PromptEntry
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, Place, Prompt, ProviderSpec

DEFAULT_PROMPT = "{{prompt}}"

_LATER_SCHEMES = ("exec:", "helicone://", "langfuse://", "portkey://")


@dataclass(frozen=True, slots=True)
class _Written:
    """A prompt as one of the forms has it: its text or path, and what the user calls it."""

    content: str
    at: Place
    where: Place
    label: str | None = None
    name: str | None = None


def build_prompts(source: Json, where: Place, base_path: str, notice: Callable[[str], None]) -> tuple[Prompt, ...]:
    """The prompts in order; `{{prompt}}` alone where the source is None. Raises `ConfigError` with all problems."""
    if source is None:
        return (_prompt(DEFAULT_PROMPT, DEFAULT_PROMPT, None, where),)
    problems = Problems()
    written = problems.attempt_each(_items(source, where), lambda item: _written(*item))
    built = problems.attempt_each(written, lambda one: (one, _build(one, base_path)))
    if source in ([], {}):
        problems.add("`prompts` is empty", where, "leave it out to send each test's variable `prompt`")
    prompts = problems.attempt(lambda: _distinct(built, notice))
    problems.check()
    return tuple(prompts or ())


def prompt_matches(reference: str, prompt: Prompt) -> bool:
    """Whether a reference means this prompt: its label, its id, a prefix ending in `*`, or a `group:` prefix."""
    names = [name for name in (prompt.label, prompt.name) if name is not None]
    if reference in names:
        return True
    if reference.endswith("*"):
        return any(name.startswith(reference[:-1]) for name in names)
    return any(name.startswith(f"{reference}:") for name in names)


def check_references(providers: Sequence[ProviderSpec], prompts: Sequence[Prompt]) -> None:
    """Raise `ConfigError` for each of the providers' `prompts` that means no prompt."""
    problems = Problems()
    known = listed(tuple(shortened(prompt.name or prompt.label) for prompt in prompts))
    for provider in providers:
        for index, reference in enumerate(provider.prompts or ()):
            if not any(prompt_matches(reference, prompt) for prompt in prompts):
                place = within(provider.where, "prompts", index) if provider.where else None
                problems.add(f"unknown prompt `{reference}`", place, f"the prompts are {known}")
    problems.check()


def _items(source: Json, where: Place) -> Iterator[tuple[Json, Place]]:
    if isinstance(source, str):
        yield source, where
    elif isinstance(source, list):
        yield from ((raw, within(where, index)) for index, raw in enumerate(source))
    elif isinstance(source, Mapping):
        yield from (({"raw": content, "label": label}, within(where, content)) for content, label in source.items())
    else:
        raise misshapen("a text, a list or a map", source, where)


def _written(raw: Json, where: Place) -> _Written:
    if isinstance(raw, str):
        return _Written(raw, where, where)
    if not isinstance(raw, Mapping):
        raise misshapen("a text or a map", raw, where)
    entry = check(PromptEntry, raw, where)
    content = entry.id if entry.raw is None else entry.raw
    if content is None:
        raise ConfigError.of("a prompt needs `raw` or `id`", where, "put the text or the `file://` path into `raw`")
    at = within(where, "id" if entry.raw is None else "raw")
    return _Written(content, at, where, entry.label, entry.id)


def _build(one: _Written, base_path: str) -> list[Prompt]:
    content = one.content.strip()
    if not content:
        raise ConfigError.of("the prompt is empty", one.at)
    if content.startswith(_LATER_SCHEMES):
        scheme = content.partition(":")[0]
        raise ConfigError.of(f"prompts from `{scheme}:` are not yet supported", one.at)
    if not is_path(content, base_path):
        return [_prompt(one.content, one.label or one.content, one.name, one.where)]
    files = load_prompts(content, base_path, one.at)
    several = len({file.path for file in files}) > 1
    return [_prompt(file.raw, _label(file, one.label, several), one.name, one.where) for file in files]


def _label(file: FilePrompt, label: str | None, several: bool) -> str:
    """What a prompt out of a file is called, so that no two prompts of one entry are called the same."""
    if label is None:
        return f"{file.path}: {file.head}"
    if file.splits:
        return f"{label}: {file.path}: {file.head}"
    return f"{label}: {file.path}" if several else label


def _prompt(raw: str, label: str, name: str | None, where: Place) -> Prompt:
    return Prompt(raw, label, hashlib.sha256(label.encode()).hexdigest(), name, where)


def _distinct(built: list[tuple[_Written, list[Prompt]]], notice: Callable[[str], None]) -> list[Prompt]:
    """The prompts without repetitions. Raises where one label stands for two prompts."""
    kept: dict[str, tuple[Prompt, _Written]] = {}
    problems = Problems()
    for written, prompts in built:
        for prompt in prompts:
            other, origin = kept.setdefault(prompt.label, (prompt, written))
            if other is prompt:
                continue
            unlabelled = origin.label is None and written.label is None
            if other.raw == prompt.raw and (unlabelled or origin is written):
                notice(f"the prompt `{shortened(prompt.label)}` is given more than once: it is sent once")
                continue
            message = f"the label `{shortened(prompt.label)}` is already that of the prompt at {_label_place(origin)}"
            problems.add(message, _label_place(written))
    problems.check()
    return [prompt for prompt, _ in kept.values()]


def _label_place(written: _Written) -> Place | None:
    return located(Problem("", written.where if written.label is None else within(written.where, "label")))

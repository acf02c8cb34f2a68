"""`prompts`: texts, files and objects as prompt templates with labels and ids."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sagemaker_eval.config.explaining import check, listed, located, misshapen, shortened
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.prompt_files import PromptReading, load_prompts
from sagemaker_eval.config.prompt_paths import PROGRAM_HINT, is_path
from sagemaker_eval.config.schema import PromptEntry
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, Place, Prompt, ProviderSpec

DEFAULT_PROMPT = "{{prompt}}"

_REGISTRIES = ("helicone://", "langfuse://", "portkey://")
_REGISTRY_HINT = "put the prompt's text into the configuration, or into a file beside it"
_SAME_LABEL_HINT = "a label stands for one prompt: give each one its own `label`"


@dataclass(frozen=True, slots=True)
class _Written:
    """A prompt as one of the forms has it: its text or path, and what the user calls it."""

    content: str
    at: Place
    where: Place
    label: str | None = None
    name: str | None = None
    config: Mapping[str, Json] = field(default_factory=dict)


def build_prompts(
    source: Json,
    where: Place,
    base_path: str,
    notice: Callable[[str], None],
    separator: str = "---",
    delimiter: str = ",",
) -> tuple[Prompt, ...]:
    """The prompts in order, each once; `{{prompt}}` alone where the source is None.

    `separator` stands on a line of its own between the prompts of a text file, `delimiter` is that of CSV files.
    `notice` hears of repeated prompts, of files passed over and of JSON that is sent as text. Raises `ConfigError` with
    all problems.
    """
    if source is None:
        return (_prompt(DEFAULT_PROMPT, DEFAULT_PROMPT, where),)
    problems = Problems()
    if source in ([], {}):
        problems.add("`prompts` is empty", where, "leave it out to send each test's variable `prompt`")
    reading = PromptReading(base_path, notice, separator, delimiter)
    written = problems.attempt_each(_items(source, where), lambda item: _written(*item))
    built = problems.attempt_each(written, lambda one: (one, _build(one, reading)))
    placed = [(prompt, _label_place(one, prompt)) for one, prompts in built for prompt in prompts]
    prompts = problems.attempt(lambda: _distinct(placed, notice)) or ()
    problems.check(prompts)
    return prompts


def distinct_prompts(prompts: Iterable[Prompt], notice: Callable[[str], None]) -> tuple[Prompt, ...]:
    """The prompts without repetitions, of which `notice` hears.

    Raises `ConfigError` naming both places where two different prompts have one label.
    """
    return _distinct([(prompt, prompt.where) for prompt in prompts], notice)


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
    return _Written(content, at, where, entry.label, entry.id, entry.config or {})


def _build(one: _Written, reading: PromptReading) -> list[Prompt]:
    content = one.content.strip()
    if not content:
        raise ConfigError.of("the prompt is empty", one.at)
    if content.startswith("exec:"):
        raise ConfigError.of("prompts from `exec:` are not supported", one.at, PROGRAM_HINT)
    if content.startswith(_REGISTRIES):
        scheme = content.partition(":")[0]
        raise ConfigError.of(f"prompts from `{scheme}:` are not supported", one.at, _REGISTRY_HINT)
    if not is_path(content, reading.base_path):
        return [replace(_prompt(one.content, one.label or one.content, one.at), name=one.name, config=one.config)]
    files = load_prompts(content, one.label, reading, one.at)
    return [
        replace(
            _prompt(file.raw, file.label, file.where),
            name=f"{one.name}:{number}" if one.name is not None and len(files) > 1 else one.name,
            config=one.config,
            function=file.function,
            whole_file=file.whole_file,
        )
        for number, file in enumerate(files, start=1)
    ]


def _prompt(raw: str, label: str, where: Place) -> Prompt:
    return Prompt(raw, label, hashlib.sha256(label.encode()).hexdigest(), where=where)


def _distinct(placed: Iterable[tuple[Prompt, Place | None]], notice: Callable[[str], None]) -> tuple[Prompt, ...]:
    """The prompts without repetitions. Raises where one label stands for two prompts; places are those of labels."""
    kept: dict[str, tuple[Prompt, Place | None]] = {}
    problems = Problems()
    for prompt, place in placed:
        other, origin = kept.setdefault(prompt.label, (prompt, place))
        if other is prompt:
            continue
        if replace(other, where=prompt.where, whole_file=prompt.whole_file) == prompt:
            notice(f"the prompt `{shortened(prompt.label)}` is given more than once: it is sent once")
            continue
        message = (
            f"the label `{shortened(prompt.label)}` is already that of the prompt at {located(Problem('', origin))}"
        )
        problems.add(message, located(Problem("", place)), _SAME_LABEL_HINT)
    problems.check()
    return tuple(prompt for prompt, _ in kept.values())


def _label_place(written: _Written, prompt: Prompt) -> Place | None:
    """Where a prompt's label stands in the configuration; where it is of the file's making, where the prompt stands."""
    if written.label is None or not prompt.label.startswith(written.label):
        return prompt.where
    return within(written.where, "label")

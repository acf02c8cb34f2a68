"""What `sageval probe` tells people: the endpoint, the requests, what came of each, and the provider to write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagemaker_eval.cli.probe_subject import COMPONENT, MOST_TOKENS, Subject
from sagemaker_eval.config.explaining import shortened
from sagemaker_eval.model import Json, Request
from sagemaker_eval.providers.probe_trials import Trial
from sagemaker_eval.providers.probes import Candidate
from sagemaker_eval.reporting.figures import counted, duration
from sagemaker_eval.reporting.terminal import visible, width_of
from sagemaker_eval.sagemaker.container_images import repository
from sagemaker_eval.sagemaker.endpoint_facts import EndpointFacts, ModelFacts, VariantFacts

if TYPE_CHECKING:
    from rich.console import Console

    from sagemaker_eval.cli.scrubbing import Scrubber

_MOST_ITEMS = 4
_LONGEST_TEXT = 200
_MOST_LINES = 24
_NARROWEST = 40
_INDENT = 2
_LABEL = 12


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The format to take, as the entry of a configuration. `streamed` is what came of asking for a stream."""

    best: Trial
    entry: Mapping[str, Json]
    streamed: Trial | None = None
    max_tokens: int | None = None
    """The most tokens of an answer, where the entry leaves that open and it is not what was asked with."""

    @property
    def streams(self) -> bool | None:
        """Whether the answer can be streamed; None where that was not tried."""
        return None if self.streamed is None else streams(self.streamed)

    @property
    def block(self) -> str:
        """The entry as YAML, to be put into a configuration."""
        import yaml

        first, *others = yaml.safe_dump(
            dict(self.entry), sort_keys=False, allow_unicode=True, width=float("inf")
        ).splitlines()
        return "\n".join(["providers:", f"  - {first}", *(f"    {line}" for line in others), *self._remark()])

    def _remark(self) -> Iterator[str]:
        """What was otherwise in the calls that were made."""
        if self.max_tokens is not None:
            yield f"    # asked with `maxTokens: {MOST_TOKENS}`; without the key it is {self.max_tokens:,}"


def streams(trial: Trial | None) -> bool:
    """Whether the answer to a request for a stream was one."""
    if trial is None or trial.response is None:
        return False
    return trial.works and trial.response.timings.first_token is not None


class Report:
    """Prints to a console, without secrets; without a console it prints nothing."""

    def __init__(self, console: Console | None, scrubber: Scrubber) -> None:
        self._console = console
        self.scrubber = scrubber

    def subject(self, subject: Subject) -> None:
        """What is known of the endpoint."""
        where = f" in {subject.region}" if subject.region else ""
        self._say(f"{'container' if subject.kind == 'container' else 'endpoint'} {subject.endpoint}{where}")
        if subject.facts is not None:
            for label, text in _facts(subject.facts, subject.settings.get(COMPONENT)):
                self._line(label, text)

    def plan(self, planned: Sequence[tuple[Candidate, Request | None]]) -> None:
        """What will be sent."""
        number = counted(len(planned), "request")
        self._say(f"\n{number} to send, each a real call; one that is throttled or fails on the way is sent again:")
        width = max(len(candidate.name) for candidate, _ in planned)
        for candidate, request in planned:
            body = "the prompt does not fit this format" if request is None else _text(request.body)
            self._say(f"  {candidate.name:<{width}}  {self._one_line(body, width + 4)}")

    def trial(self, trial: Trial) -> None:
        """What came of a request: the bodies of an answer, one line of a refusal."""
        name, response = trial.candidate.name, trial.response
        if response is None:
            self._say(f"\n{name}: refused\n  {self._one_line(trial.refusal or '', 2, lines=3)}")
            return
        self._say(f"\n{name}: answered in {duration(response.timings.wire)}")
        if trial.request is not None:
            self._body("sent", _text(trial.request.body))
        self._body("answered", response.raw)
        if trial.refusal is not None:
            self._line("no use", self._one_line(trial.refusal, _LABEL + 2, lines=3))

    def conclusion(self, conclusion: Conclusion, stream_wanted: bool) -> None:
        """The format that works best, why, and the provider."""
        best = conclusion.best
        self._say(f"\nbest: {best.candidate.name}")
        for label, text in _findings(conclusion, stream_wanted):
            self._line(label, self._one_line(text, _LABEL + 2, lines=3))
        self._say(f"\n{conclusion.block}")

    def _body(self, label: str, text: str) -> None:
        for number, line in enumerate(_pretty(text, self._room(_LABEL + 2))):
            self._line("" if number else label, line)

    def _line(self, label: str, text: str) -> None:
        self._say(f"  {label:<{_LABEL}}{text}")

    def _room(self, margin: int) -> int:
        return max((width_of(self._console) if self._console else 0) - margin, _NARROWEST)

    def _one_line(self, text: str, margin: int, lines: int = 1) -> str:
        """A text without line breaks, cut to what has room in so many lines of the console."""
        return shortened(self.scrubber.text(text), lines * self._room(margin))

    def _say(self, text: str) -> None:
        if self._console is not None:
            text = visible(self.scrubber.text(text), self._console)
            self._console.print(text, soft_wrap=True, markup=False, highlight=False)


def _facts(facts: EndpointFacts, component: str | None) -> Iterator[tuple[str, str]]:
    yield "status", facts.status + (f": {facts.failure_reason}" if facts.failure_reason else "")
    if facts.kind:
        yield "kind", facts.kind
    for variant in facts.variants:
        yield "variant", _variant(variant)
    if facts.components:
        yield "components", ", ".join(known.name for known in facts.components)
    model = facts.model(component)
    if model is not None:
        yield from _model(model)
    if facts.jumpstart_model:
        yield "jumpstart", facts.jumpstart_model


def _variant(variant: VariantFacts) -> str:
    if variant.serverless_concurrency is not None:
        return f"{variant.name}: serverless, {counted(variant.serverless_concurrency, 'call')} at a time"
    machines = ", ".join(f"{count} x {kind}" for kind, count in variant.fleet)
    return f"{variant.name}: {machines or ('scaled to zero' if variant.scaled_to_zero else 'instances not known')}"


def _model(model: ModelFacts) -> Iterator[tuple[str, str]]:
    if model.image:
        family = f" ({model.family.name})" if model.family else ""
        yield "image", f"{repository(model.image)}{family}"
    if model.environment.get("HF_MODEL_ID"):
        yield "model", model.environment["HF_MODEL_ID"]


def _findings(conclusion: Conclusion, stream_wanted: bool) -> Iterator[tuple[str, str]]:
    best = conclusion.best
    if best.vector is not None:
        yield "output", f"a vector of {counted(len(best.vector), 'number')}"
    else:
        yield "output", best.text if best.text.strip() else "an empty text: the model may need more tokens (`--set`)"
        yield "where", _where(best)
    yield "shape", _shape(best)
    usage, finish = ("told" if told else "not told" for told in (best.usage_told, best.finish_told))
    yield "tokens", usage if best.usage_told else f"{usage}, so they are estimated"
    if best.vector is None:
        yield "finish", finish
        yield "chat", "yes" if best.candidate.chat else "no"
    yield "streams", _streams(conclusion, stream_wanted)


def _where(best: Trial) -> str:
    if best.path is None:
        return "found without `responseFormat.path`"
    return f"{best.path}{'' if best.needed_path else ', found without `responseFormat.path`'}"


def _shape(best: Trial) -> str:
    if best.echoes:
        return "the prompt is repeated in the answer"
    if not best.known:
        return "not known: check that the output is what the model wrote"
    return "that of this format" if best.native or best.candidate.embedding else "known, though of another format"


def _streams(conclusion: Conclusion, wanted: bool) -> str:
    streamed = conclusion.streamed
    if streamed is None:
        return "not possible here" if wanted else "not tried (`--stream`)"
    if conclusion.streams and streamed.response is not None:
        return f"yes, the first token after {duration(streamed.response.timings.first_token)}"
    return "no, the answer comes at once" if streamed.works else f"no: {streamed.refusal}"


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _pretty(text: str, width: int) -> list[str]:
    """A body in lines, one at least: JSON laid out, long lists and texts cut."""
    try:
        lines = list(_laid_out(_excerpt(json.loads(text)), width))
    except (ValueError, RecursionError):
        lines = _cut(text).splitlines() or ["(an empty body)"]
    return [*lines[:_MOST_LINES], "…"] if len(lines) > _MOST_LINES else lines


def _laid_out(value: Json, width: int) -> Iterator[str]:
    """JSON in lines of about `width`: what has room on a line stays on it."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= width or not value or not isinstance(value, dict | list):
        yield line
        return
    members = (
        [(f"{json.dumps(key, ensure_ascii=False)}: ", inner) for key, inner in value.items()]
        if isinstance(value, dict)
        else [("", inner) for inner in value]
    )
    yield line[0]
    for number, (key, inner) in enumerate(members, 1):
        first, *others = _laid_out(inner, width - _INDENT - len(key))
        *before, last = f"{key}{first}", *others
        comma = "," if number < len(members) else ""
        yield from (f"{'':{_INDENT}}{part}" for part in (*before, f"{last}{comma}"))
    yield line[-1]


def _excerpt(value: Json) -> Json:
    """A value with long lists and texts cut."""
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, dict):
        return {key: _excerpt(inner) for key, inner in value.items()}
    if not isinstance(value, list):
        return value
    more = [f"… {len(value) - _MOST_ITEMS} more"] if len(value) > _MOST_ITEMS else []
    return [*map(_excerpt, value[:_MOST_ITEMS]), *more]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"

"""What is probed: an endpoint, as far as AWS tells of it, and the providers that ask it, in one format each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sagemaker_eval.config.provider_ids import ProviderId
from sagemaker_eval.config.provider_specs import ProviderContext, build_specs
from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import Json, Place, ProviderSpec, SageMakerOptions
from sagemaker_eval.providers.base import PROVIDERS, Provider
from sagemaker_eval.providers.probes import CHAT, Candidate, hints_of, plausible
from sagemaker_eval.providers.services import Services
from sagemaker_eval.sagemaker.endpoint_facts import EndpointFacts

MOST_TOKENS = 64
"""Of the answer to one question, unless the user says otherwise."""

ASYNC_TIMEOUT_MS = 600_000
"""How long the answer of an asynchronous endpoint is waited for, where it may have to start first."""

COMPONENT = "inferenceComponentName"
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Subject:
    """An endpoint and the formats to ask it in. `settings` are the keys of `config` that all of them share.

    `facts` are None where nothing is known; `refusal` is why no call can succeed.
    """

    kind: str
    endpoint: str
    settings: Mapping[str, Json] = field(default_factory=dict)
    region: str | None = None
    facts: EndpointFacts | None = None
    candidates: tuple[Candidate, ...] = ()
    refusal: SetupError | None = None

    @property
    def is_async(self) -> bool:
        """Whether it is asked through its queue."""
        return bool(self.settings.get("async"))

    def entry(self, candidate: Candidate) -> dict[str, Json]:
        """The provider of a configuration that asks it in the format of a candidate."""
        return candidate.entry(self.kind, self.endpoint, self.settings)


class Prober:
    """Looks at endpoints and makes providers for them. Settings are checked as those of a configuration are."""

    def __init__(self, services: Services, context: ProviderContext) -> None:
        self._services = services
        self._context = context

    async def look(self, parsed: ProviderId, settings: Mapping[str, Json]) -> Subject:
        """What is known of an endpoint before it is asked.

        Raises `ConfigError` for settings that are wrong, `SetupError` where there is no such endpoint or no way to it.
        """
        subject = Subject(parsed.kind, parsed.endpoint or "", settings)
        first = self._spec(subject, CHAT)
        if parsed.kind == "sagemaker":
            subject = await self._described(subject, first)
        if subject.refusal is not None:
            return subject
        hints = hints_of(subject.endpoint, subject.facts, subject.settings.get(COMPONENT))
        if parsed.embedding or parsed.model_type:
            hints = replace(hints, model_type=parsed.model_type, embedding=parsed.embedding)
        return await self._examined(replace(subject, candidates=plausible(hints)))

    def provider(self, subject: Subject, candidate: Candidate) -> Provider:
        """The provider of a candidate, for one small question that is not asked again by itself."""
        spec = self._spec(subject, candidate)
        options: SageMakerOptions = spec.options
        options = replace(
            options, max_retries=0, asynchronous=replace(options.asynchronous, timeout_ms=ASYNC_TIMEOUT_MS)
        )
        if "maxTokens" not in subject.settings:
            options = replace(options, sampling=replace(options.sampling, max_tokens=MOST_TOKENS))
        return PROVIDERS.get(spec.kind)(replace(spec, options=options), self._services)

    def options(self, entry: Mapping[str, Json]) -> SageMakerOptions:
        """What an entry of a configuration comes to. Raises `ConfigError` where it is wrong."""
        options: SageMakerOptions = self._built(entry).options
        return options

    def _spec(self, subject: Subject, candidate: Candidate) -> ProviderSpec:
        return self._built(subject.entry(candidate))

    def _built(self, entry: Mapping[str, Json]) -> ProviderSpec:
        (spec,) = build_specs(entry, Place("probe"), self._context, from_file=False)
        return spec

    async def _described(self, subject: Subject, spec: ProviderSpec) -> Subject:
        """The subject with what AWS tells of it, where it may be asked, and with the settings that follow from that."""
        services, target = self._services, self._services.target(spec.options.aws)
        subject = replace(subject, region=None if target is services.sandbox else target.region)
        if not services.is_described(target, subject.endpoint):
            return subject
        facts, findings = await services.preflight(target).examine(spec.options, spec)
        if facts is None:
            for note in findings.notes:
                services.notice(note)
            if findings.refusal is not None:
                raise findings.refusal
            return subject
        settings = {**subject.settings, **({"async": True} if facts.is_async else {})}
        return replace(subject, facts=facts, settings=settings, refusal=_unnamed(facts, settings))

    async def _examined(self, subject: Subject) -> Subject:
        """The subject with the verdict on the settings that it is asked with first."""
        if subject.facts is None:
            return subject
        spec = self._spec(subject, subject.candidates[0])
        preflight = self._services.preflight(self._services.target(spec.options.aws))
        _, findings = await preflight.examine(spec.options, spec)
        for note in findings.notes:
            self._services.notice(note)
        component = {COMPONENT: findings.component} if findings.component else {}
        return replace(subject, settings={**subject.settings, **component}, refusal=findings.refusal)


def _unnamed(facts: EndpointFacts, settings: Mapping[str, Json]) -> SetupError | None:
    """Why an endpoint with several components cannot be asked without the name of one."""
    names = [component.name for component in facts.components or ()]
    if len(names) < 2 or COMPONENT in settings or not facts.takes_traffic:
        return None
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return SetupError(
        f"endpoint `{facts.name}` hosts {len(names)} inference components, each with a model of its own",
        f"choose one with `--inference-component`: {shown}{more}",
    )

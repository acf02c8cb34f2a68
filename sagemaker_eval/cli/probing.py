"""What `sageval probe` does: describe an endpoint, ask it in each plausible format, say which provider to write."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import typer

from sagemaker_eval.cli.exit_codes import BROKEN, FINE
from sagemaker_eval.cli.notices import Notices
from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.cli.probe_document import probe_document
from sagemaker_eval.cli.probe_report import Conclusion, Report, streams
from sagemaker_eval.cli.probe_subject import COMPONENT, Prober, Subject
from sagemaker_eval.cli.requests import pairs_of
from sagemaker_eval.cli.scrubbing import Scrubber
from sagemaker_eval.cli.streams import stderr, stdout, writing_to_stdout
from sagemaker_eval.config.environment import applied, build_environ
from sagemaker_eval.config.masking import is_credential
from sagemaker_eval.config.provider_ids import ProviderId, parse_provider_id
from sagemaker_eval.config.provider_specs import ProviderContext
from sagemaker_eval.config.sagemaker_options import read_environment
from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.errors import CaseError, ConfigError, EndpointFault, SagevalError, SetupError
from sagemaker_eval.model import Call, Json, Place, Request
from sagemaker_eval.providers.probe_trials import Trial, best_of, tried
from sagemaker_eval.providers.probes import Candidate
from sagemaker_eval.providers.services import Services
from sagemaker_eval.reporting.messages import print_error
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.session import Target, Targets, static_target
from sagemaker_eval.text.templating.templates import Templates

PROMPT = "In one short sentence, what is the capital of France?"

_FOUND_OUT = frozenset(
    {
        "async",
        "chat",
        "endpoint",
        "modelType",
        "responseFormat",
        "responseTransform",
        "stream",
        "transform",
        "transport",
    }
)
"""Keys of a provider's `config` that are the result of a probe, or would stand in its way."""

_SECRET_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """The options of one `sageval probe`; `process` is the environment that it was started in."""

    selector: str
    prompt: str | None = None
    region: str | None = None
    profile: str | None = None
    component: str | None = None
    settings: tuple[str, ...] = ()
    stream: bool = False
    sandbox: bool = False
    sandbox_script: str | None = None
    as_json: bool = False
    yes: bool = False
    process: Mapping[str, str] = field(default_factory=dict, repr=False)


def probe(request: ProbeRequest) -> int:
    """Probe an endpoint and return the exit code.

    Raises `ConfigError` for options that cannot be used and `SetupError` where the endpoint cannot be called.
    """
    scrubber = Scrubber.of_environment(request.process)
    notices = Notices(scrubber)
    with scrubber.errors(), _services(request, notices, scrubber) as (services, context), asyncio.Runner() as runner:
        session = _Session(request, Prober(services, context), Report(None if request.as_json else stdout(), scrubber))
        code = FINE
        try:
            with writing_to_stdout():
                code = session.run(runner, services)
        finally:
            runner.run(services.pool.close())
        return code


class _Session:
    """One run of the command, step by step."""

    def __init__(self, request: ProbeRequest, prober: Prober, report: Report) -> None:
        self._request = request
        self._prober = prober
        self._report = report
        self._prompt = request.prompt or PROMPT

    def run(self, runner: asyncio.Runner, services: Services) -> int:
        """All of it; Ctrl-C ends the calls, and the question before them."""
        parsed, settings = _parsed(self._request), _settings(self._request)
        subject = runner.run(self._prober.look(parsed, settings))
        self._report.subject(subject)
        if subject.refusal is not None:
            raise subject.refusal
        planned = runner.run(self._planned(subject))
        self._report.plan(planned)
        self._confirm(planned)
        trials = runner.run(self._trials(subject, services))
        best = best_of(trials)
        streamed = runner.run(self._streamed(subject, best, services)) if best and self._request.stream else None
        conclusion = self._conclusion(subject, best, streamed) if best else None
        return self._end(subject, trials, conclusion)

    async def _planned(self, subject: Subject) -> list[tuple[Candidate, Request | None]]:
        """What will be sent in each format; None where the prompt does not fit it."""
        planned = []
        for candidate in subject.candidates:
            provider = self._prober.provider(subject, candidate)
            try:
                planned.append((candidate, await provider.request(Call(self._prompt))))
            except CaseError:
                planned.append((candidate, None))
        return planned

    def _confirm(self, planned: list[tuple[Candidate, Request | None]]) -> None:
        if self._request.yes or not _at_a_terminal():
            return
        if self._request.as_json:
            Report(stderr(), self._report.scrubber).plan(planned)
        try:
            agreed = typer.confirm("Send these requests?", default=True, err=True)
        except typer.Abort:
            agreed = False
        if not agreed:
            raise SagevalError("nothing was sent: it was not agreed to", "`--yes` sends the requests without asking")

    async def _trials(self, subject: Subject, services: Services) -> list[Trial]:
        """One trial after the other. Raises `SetupError` where no format could survive what went wrong."""
        trials: list[Trial] = []
        for candidate in subject.candidates:
            try:
                trial = await self._tried(subject, candidate, services)
            except SetupError as error:
                if not any(trial.works for trial in trials):
                    raise
                if not _is_of_the_container(error):
                    services.notice(f"the other formats are not tried: {error.message}")
                    break
                trial = Trial(candidate, calls=1, refusal=error.message, hint=error.hint)
            trials.append(trial)
            self._report.trial(trial)
        return trials

    async def _tried(self, subject: Subject, candidate: Candidate, services: Services) -> Trial:
        provider = self._prober.provider(subject, candidate)
        try:
            return await tried(candidate, provider, Call(self._prompt), services.sleep)
        finally:
            await provider.close()

    async def _streamed(self, subject: Subject, best: Trial, services: Services) -> Trial | None:
        """The best format asked for a stream; None where there is no such thing."""
        if best.candidate.embedding or subject.is_async:
            return None
        candidate = replace(best.candidate, config={**best.candidate.config, "stream": True})
        try:
            return await self._tried(subject, candidate, services)
        except SetupError as error:
            return Trial(candidate, calls=1, refusal=error.message, hint=error.hint)

    def _conclusion(self, subject: Subject, best: Trial, streamed: Trial | None) -> Conclusion:
        """The best trial as a provider: what was sent, where it went, and where the text is."""
        found = {"responseFormat": {"path": best.needed_path}} if best.needed_path is not None else {}
        asked = {"stream": True} if streams(streamed) else {}
        candidate = replace(best.candidate, config={**best.candidate.config, **found, **asked})
        region = {} if subject.region is None else {"region": subject.region}
        entry = replace(subject, settings={**region, **subject.settings}).entry(candidate)
        is_limited = not candidate.embedding and candidate.model_type != "custom"
        max_tokens = self._prober.options(entry).sampling.max_tokens
        is_open = is_limited and "maxTokens" not in subject.settings
        return Conclusion(best, entry, streamed, max_tokens if is_open else None)

    def _end(self, subject: Subject, trials: list[Trial], conclusion: Conclusion | None) -> int:
        if self._request.as_json:
            typer.echo(self._report.scrubber.text(json.dumps(probe_document(subject, trials, conclusion), indent=2)))
        if conclusion is not None:
            self._report.conclusion(conclusion, self._request.stream)
            return FINE
        sent = sum(trial.calls for trial in trials)
        print_error(
            stderr(),
            f"`{subject.endpoint}` works in none of the {len(trials)} formats that were tried ({sent} calls)",
            "look at what its container says above and in its log; a body of your own can be written as the prompt of "
            f"`{subject.kind}:custom:{subject.endpoint}`, in JSON",
        )
        return BROKEN


def _parsed(request: ProbeRequest) -> ProviderId:
    selector = request.selector if ":" in request.selector else f"sagemaker:{request.selector}"
    parsed = parse_provider_id(selector, known_names(), Place("probe"), lambda note: None)
    if parsed.kind not in ("sagemaker", "container"):
        hint = "valid are `sagemaker:<endpoint>` and `container:<url>`"
        raise ConfigError.of(f"`{selector}` is no endpoint that could be probed", None, hint)
    return parsed


def _settings(request: ProbeRequest) -> dict[str, Json]:
    """The keys of `config` that the options stand for. Raises `ConfigError`."""
    given = {"region": request.region, "profile": request.profile, COMPONENT: request.component}
    settings: dict[str, Json] = {key: value for key, value in given.items() if value is not None}
    for key, text in pairs_of("--set", request.settings):
        if key in _FOUND_OUT or key == "variants":
            raise ConfigError.of(f"--set takes no `{key}`", None, "a probe finds out by itself how to ask")
        if is_credential(key):
            raise ConfigError.of(
                f"--set takes no `{key}`", None, "it would be printed; use a profile or the environment"
            )
        settings[key] = parse_yaml(text, "--set")
    return settings


@contextmanager
def _services(
    request: ProbeRequest, notices: Notices, scrubber: Scrubber
) -> Iterator[tuple[Services, ProviderContext]]:
    """What calls are made with; the environment and the sandbox last until the block ends."""
    environ = build_environ(request.process, (), ".env")
    scrubber.add_credentials(environ.get(name) for name in _SECRET_VARIABLES)
    with ExitStack() as stack:
        stack.enter_context(applied(environ))
        services = Services(
            pool=ConnectionPool(1, proxies=not request.sandbox),
            targets=Targets(environ, notices),
            notice=notices,
            learn_secrets=scrubber.add_credentials,
            scrub=scrubber.bytes,
            templates=Templates(environ, notices),
        )
        if request.sandbox:
            services.sandbox, services.sandbox_deploys = _sandbox(request.sandbox_script, stack)
        context = ProviderContext(known_names(), read_environment(environ), ".", None, notices, environ)
        yield services, context


def _sandbox(script: str | None, stack: ExitStack) -> tuple[Target, Callable[[str], bool]]:
    from sagemaker_eval.sandbox.script import load_script
    from sagemaker_eval.sandbox.server import REGION, Sandbox

    sandbox = stack.enter_context(Sandbox(load_script(script)) if script else Sandbox())
    keys = (sandbox.access_key_id, sandbox.secret_access_key)
    return static_target(sandbox.url, REGION, sandbox.identity, *keys), sandbox.deploys


def _is_of_the_container(error: SetupError) -> bool:
    """Whether it is the model that refused, so that another request may be answered."""
    return isinstance(error.__cause__, EndpointFault) and error.__cause__.original_status is not None


def _at_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

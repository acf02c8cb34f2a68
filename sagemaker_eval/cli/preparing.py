"""From the request of a command to everything that a run works with, or to a `ConfigError` or `SetupError`."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_eval import assertions, formats, providers, reporting
from sagemaker_eval.assertions.base import ASSERTIONS, COMPARISONS
from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.calling.cache_folder import default_cache_folder
from sagemaker_eval.calling.cache_limits import limits_of
from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.calling.clock import Sleep
from sagemaker_eval.calling.metering import Budget
from sagemaker_eval.cli.cassettes import cassette_of, off_the_network
from sagemaker_eval.cli.notices import Notices
from sagemaker_eval.cli.requests import EvalRequest, is_set, unheeded
from sagemaker_eval.cli.scrubbing import Scrubber
from sagemaker_eval.cli.settings import Settings, settings_of, with_filters
from sagemaker_eval.cli.shards import in_shard
from sagemaker_eval.cli.undefined import refuse_undefined
from sagemaker_eval.config.assertion_specs import SET
from sagemaker_eval.config.environment import applied, build_environ
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.loading import load_with_options
from sagemaker_eval.config.masking import secrets_of_environment, secrets_of_profiles
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.overrides import Overrides
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.formats.base import EMBEDDING_FORMATS, FORMATS
from sagemaker_eval.model import Json, Outcome, Suite, UserCode
from sagemaker_eval.plugin import EXTENSIBLE, load_plugin
from sagemaker_eval.providers.endpoints import Endpoints
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.providers.services import Services
from sagemaker_eval.reporting.outputs import output_endings
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.checking import Checker
from sagemaker_eval.running.folders import LATEST, recorded_run
from sagemaker_eval.running.graders import RunGraders
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.rendering import Renderer
from sagemaker_eval.running.run_files import written_rows
from sagemaker_eval.running.scheduling import concurrency
from sagemaker_eval.running.selection import EarlierRows, Filters, select
from sagemaker_eval.sagemaker.session import Target, Targets
from sagemaker_eval.sagemaker.transport import ConnectionPool
from sagemaker_eval.text.files_read import recording
from sagemaker_eval.text.templating.templates import Templates

if TYPE_CHECKING:
    from sagemaker_eval.sandbox.server import Sandbox

REGISTERED = (assertions, formats, providers, reporting)
"""Importing these packages files their entries in the registries."""

_CHANCE = random.SystemRandom()
_OF_AWS = "sagemaker"
"""The kind of provider whose calls are signed with AWS's keys."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """What carries out a suite: compiled once, used by the check, the dry run and the engine."""

    pool: ProviderPool
    renderer: Renderer
    answering: Answering
    judge: Judge


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that can start: everything is checked, nothing has been sent."""

    request: EvalRequest
    settings: Settings
    suite: Suite
    plan: Plan
    bench: Workbench
    services: Services
    scrubber: Scrubber
    notices: Notices
    files: tuple[str, ...] = ()
    """The files that the suite was made from."""


class Work:
    """How the cases of a run come by their answers: providers are asked. `cli.regrading` has another way."""

    def suite(self, suite: Suite) -> Suite:
        """What is left of the suite that the filters leave. Raises `ConfigError`."""
        return suite

    def carriers(self, pool: ProviderPool, services: Services) -> tuple[Renderer, Answering]:
        """Who makes the prompts and gets the answers."""
        assert services.templates is not None
        return Renderer(services.templates), Answering(pool)


@contextmanager
def prepared(request: EvalRequest, sleep: Sleep = asyncio.sleep, work: Work | None = None) -> Iterator[Prepared]:
    """Prepare a run; the environment, the sandbox and the cache last until the block ends.

    `sleep` is how calls wait for their turn and before they are made again.
    """
    work = work or Work()
    scrubber = Scrubber()
    notices = Notices(scrubber)
    with scrubber.errors(), off_the_network(request), ExitStack() as stack:
        environ = build_environ(request.process, request.env_files, ".env")
        scrubber.add(secrets_of_environment(environ))
        for note in unheeded(environ):
            notices(note)
        stack.enter_context(applied(environ))
        for registry in EXTENSIBLE:
            stack.enter_context(registry.restored())
        files = stack.enter_context(recording())
        problems = Problems()
        loaded = problems.attempt(
            lambda: load_with_options(
                request.config, _overrides(request), environ, known_names(), notices, scrubber.add
            )
        )
        if loaded is None:
            problems.check()
        assert loaded is not None
        whole = suite = loaded.suite
        scrubber.add(suite.secrets)
        calls_nobody = request.sandbox or request.check_only or request.replay
        if not calls_nobody and any(spec.kind == _OF_AWS for spec in suite.providers):
            scrubber.add_credentials(secrets_of_profiles(suite.env))
        request = pinned(with_filters(request, loaded.options), suite.env)
        if not problems:
            suite = work.suite(select(suite, _filters(request, suite.env)))
        stack.enter_context(applied(suite.env))
        templates = problems.attempt(lambda: Templates(suite.env, notices, request.strict, suite.filters))
        services = _services(
            request, suite, templates or Templates(suite.env, notices), (notices, scrubber), sleep, stack
        )
        services.cassette = stack.enter_context(cassette_of(request, scrubber.bytes, notices))
        bench = _workbench(services, suite, work)
        checker = Checker(suite, whole, bench.renderer, bench.answering, bench.judge, partial=bool(problems))
        plan = problems.attempt(checker.plan) if templates else None
        problems.check()
        assert plan is not None and templates is not None
        if request.strict:
            refuse_undefined(plan, templates)
        request, plan = in_shard(request, plan, bench.renderer.converses, suite.env, notices)
        settings = settings_of(request, loaded.options)
        yield Prepared(request, settings, suite, plan, bench, services, scrubber, notices, files.files)


def _workbench(services: Services, suite: Suite, work: Work) -> Workbench:
    pool, templates = ProviderPool(services), services.templates
    assert templates is not None
    graders = RunGraders(pool, suite.max_concurrency)
    renderer, answering = work.carriers(pool, services)
    return Workbench(pool, renderer, answering, Judge(templates, graders))


def known_names() -> KnownNames:
    """What the registries know, for the configuration to check against, and how it learns more from plugins."""
    return KnownNames(
        formats=FORMATS.names(),
        embedding_formats=EMBEDDING_FORMATS.names(),
        assertions=tuple(sorted({*ASSERTIONS.names(), *COMPARISONS.names(), SET})),
        outputs=output_endings(),
        with_plugins=_with_plugins,
    )


def _with_plugins(plugins: Sequence[UserCode]) -> KnownNames:
    problems = Problems()
    problems.attempt_each(plugins, load_plugin)
    problems.check()
    return known_names()


def _overrides(request: EvalRequest) -> Overrides:
    return Overrides(
        prompts=request.prompts,
        providers=request.providers,
        tests=request.tests,
        outputs=request.outputs,
        vars=request.variables or None,
        delay_ms=request.delay_ms,
        repeat=request.repeat,
        max_concurrency=request.max_concurrency,
        description=request.description,
        cache=request.cache,
        grader=request.grader,
        tags=request.tags or None,
        env_files=request.env_files,
    )


def _services(
    request: EvalRequest,
    suite: Suite,
    templates: Templates,
    told: tuple[Notices, Scrubber],
    sleep: Sleep,
    stack: ExitStack,
) -> Services:
    notices, scrubber = told
    started = _sandbox(request, stack) if request.sandbox else None
    sandbox = _target_of(started) if started else _nowhere() if request.check_only else None
    store = None
    folder = default_cache_folder(suite.env)
    if suite.cache and not (request.check_only or request.replay) and (folder.exists() or not request.dry_run):
        store = stack.enter_context(CacheStore(folder, notices, limits=limits_of(suite.env)))
    size = sum(concurrency(spec, suite) for spec in suite.providers)
    budget = Budget(request.max_calls, request.max_cost)
    return Services(
        pool=ConnectionPool(size, proxies=sandbox is None),
        targets=Targets(suite.env, notices),
        notice=notices,
        learn_secrets=scrubber.add_credentials,
        scrub=scrubber.bytes,
        store=store,
        offline=request.dry_run or request.check_only,
        refresh=is_set(suite.env, "DEBUG") and request.cache is not True,
        sandbox=sandbox,
        sleep=sleep,
        endpoints=Endpoints(budget, sleep=sleep),
        templates=templates,
        concurrency=lambda spec: concurrency(spec, suite),
        sandbox_deploys=started.deploys if started else lambda endpoint: False,
    )


def _nowhere() -> Target:
    """The target of a check that calls nothing, so that it needs no region, no profile and no AWS files."""
    from sagemaker_eval.sagemaker.session import static_target

    return static_target("http://localhost", "us-east-1", "nobody", "", "")


def _sandbox(request: EvalRequest, stack: ExitStack) -> Sandbox:
    """Start the stand-in for this run."""
    from sagemaker_eval.sandbox.script import load_script
    from sagemaker_eval.sandbox.server import Sandbox

    return stack.enter_context(Sandbox(load_script(request.sandbox_script)) if request.sandbox_script else Sandbox())


def _target_of(sandbox: Sandbox) -> Target:
    from sagemaker_eval.sagemaker.session import static_target

    return static_target(sandbox.url, "us-east-1", sandbox.identity, sandbox.access_key_id, sandbox.secret_access_key)


def pinned(request: EvalRequest, environ: Mapping[str, str]) -> EvalRequest:
    """The request with what would be another thing next time put down: the seed of a sample, the `latest` run."""
    filters = request.filters
    if filters.sample is not None and filters.sample_seed is None:
        filters = replace(filters, sample_seed=_CHANCE.randrange(1 << 32))
    failing, errors_only = (
        recorded_run(source, environ).name if source == LATEST else source
        for source in (request.failing, request.errors_only)
    )
    return replace(request, filters=filters, failing=failing, errors_only=errors_only)


def _filters(request: EvalRequest, environ: Mapping[str, str]) -> Filters:
    """The request's filters, with the rows of the earlier run that they mention."""
    if request.failing and request.errors_only:
        raise ConfigError.of("--filter-failing and --filter-errors-only exclude each other")
    source = request.failing or request.errors_only
    if not source:
        return request.filters
    outcomes = frozenset({Outcome.FAILED, Outcome.ERRORED} if request.failing else {Outcome.ERRORED})
    return replace(request.filters, earlier=EarlierRows.of(source, earlier_rows(source, environ), outcomes))


def earlier_rows(source: str, environ: Mapping[str, str]) -> Iterator[dict[str, Json]]:
    """The rows of a result file (.json or .jsonl), or of a recorded run (its id, or `latest`).

    Raises `ConfigError` where there is none.
    """
    path = Path(source)
    if not os.path.isfile(path):
        path = recorded_run(source, environ) / "journal.jsonl"
    try:
        if path.suffix == ".jsonl":
            yield from written_rows(path)
        else:
            yield from json.loads(path.read_bytes())["results"]["results"]
    except OSError as error:
        raise ConfigError.of(
            f"no result file and no run is called `{source}`",
            hint="give a .json or .jsonl result file, the id of a run, or `latest`",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError.of(f"`{path}` is not a result document") from error

"""The `container` provider: a model container called over plain HTTP, as it will be asked behind an endpoint.

Requests, answers, retries, cache and pace are those of the `sagemaker` provider; only the way is another. There is no
AWS in it: no credentials, no region, no signature.
"""

from __future__ import annotations

from dataclasses import replace

from sagemaker_eval.calling.cache_origin import Keys
from sagemaker_eval.calling.first_alone import UNREACHABLE
from sagemaker_eval.formats.streams import StreamDecoder
from sagemaker_eval.model import ProviderSpec, SageMakerOptions
from sagemaker_eval.providers.base import PROVIDERS, Provider
from sagemaker_eval.providers.line import Way
from sagemaker_eval.providers.sagemaker import provider_over
from sagemaker_eval.providers.services import Services
from sagemaker_eval.sagemaker.container import ContainerTransport, invocations_url
from sagemaker_eval.sagemaker.container_faults import HOPELESS

_IDENTITY = "container"
"""Stands in cache keys where an endpoint has the account: no account is called so."""


@PROVIDERS.register("container")
def container(spec: ProviderSpec, services: Services) -> Provider:
    """Calls a container: `container:<url>`, `container:<type>:<url>`, `container:embedding:<url>`."""
    options: SageMakerOptions = spec.options
    spec = replace(spec, options=replace(options, endpoint=invocations_url(options.endpoint)))
    return provider_over(lambda: _way(spec.options, services), spec, services)


def _way(options: SageMakerOptions, services: Services) -> Way:
    """The way to a container: unsigned, to its URL, which is the `endpoint` of each request."""
    state = services.endpoints.of((_IDENTITY,), options.endpoint, unreachable=UNREACHABLE | HOPELESS)
    state.shared.rates.limit(options.rates)
    gate = state.gate
    return Way(
        ContainerTransport(
            options.endpoint,
            services.pool,
            options.timeout_ms,
            lambda: gate.is_open,
            decoder=StreamDecoder if options.streamed else None,
        ),
        state,
        key=Keys(_IDENTITY, options.endpoint, "", options.revision),
        url=lambda request: request.endpoint,
    )

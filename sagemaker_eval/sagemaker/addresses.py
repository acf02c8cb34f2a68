"""The URLs of SageMaker Runtime and of the services beside it, as boto3 would resolve them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from sagemaker_eval.errors import SetupError
from sagemaker_eval.sagemaker.hints import one_line
from sagemaker_eval.sagemaker.regions import PRICE_LIST_REGION

if TYPE_CHECKING:
    import botocore.session

RUNTIME = "sagemaker-runtime"
CONTROL_PLANE = "sagemaker"
PRICE_LIST = "pricing"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Endpoint URLs without a trailing slash; None for a service that must not be asked."""

    runtime: str
    control: str | None
    pricing: str | None


@dataclass(frozen=True, slots=True)
class AddressBook:
    """Knows the URL of each service for one session. `environ` is the environment that the session sees."""

    session: botocore.session.Session
    environ: Mapping[str, str]

    def addresses(self, runtime_url: str | None, region: str) -> Addresses:
        """Where calls go; `runtime_url` is what the provider's settings say.

        Where the runtime's URL is configured, a stand-in or a private network is meant: the other services are then
        asked only at URLs that are configured too. Raises `SetupError` for a URL that is none, and for a combination
        of FIPS, dual stack and region that does not exist.
        """
        own = runtime_url or self._configured(RUNTIME)
        if own:
            return Addresses(
                _checked(own, RUNTIME), self._checked_or_none(CONTROL_PLANE), self._checked_or_none(PRICE_LIST)
            )
        return Addresses(
            self._computed(RUNTIME, region),
            self._checked_or_none(CONTROL_PLANE) or self._computed(CONTROL_PLANE, region),
            self._checked_or_none(PRICE_LIST) or self._computed(PRICE_LIST, PRICE_LIST_REGION),
        )

    def _checked_or_none(self, service: str) -> str | None:
        url = self._configured(service)
        return _checked(url, service) if url else None

    def _configured(self, service: str) -> str | None:
        """AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, `services` and `endpoint_url` of the profile."""
        from botocore.configprovider import ConfiguredEndpointProvider
        from botocore.exceptions import InvalidConfigError

        session = self.session
        if session.get_config_variable("ignore_configured_endpoint_urls"):
            return None
        provider = ConfiguredEndpointProvider(
            full_config=session.full_config,
            scoped_config=session.get_scoped_config(),
            client_name=service,
            environ=self.environ,
        )
        try:
            url: str | None = provider.provide()
        except InvalidConfigError as error:
            raise SetupError(one_line(str(error)), "correct `services` of the profile in ~/.aws/config") from error
        return url

    def _computed(self, service: str, region: str) -> str:
        from botocore.endpoint_provider import EndpointProvider
        from botocore.exceptions import EndpointProviderError

        loader = self.session.get_component("data_loader")
        rules = loader.load_service_model(service, "endpoint-rule-set-1")
        try:
            endpoint = EndpointProvider(rules, loader.load_data("partitions")).resolve_endpoint(
                Region=region,
                UseFIPS=bool(self.session.get_config_variable("use_fips_endpoint")),
                UseDualStack=bool(self.session.get_config_variable("use_dualstack_endpoint")),
            )
        except EndpointProviderError as error:
            raise SetupError(
                f"SageMaker Runtime has no such endpoint in {region}: {one_line(str(error))}",
                "check AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT",
            ) from error
        return str(endpoint.url)


def _checked(url: str, service: str) -> str:
    variable = f"AWS_ENDPOINT_URL_{service.replace('-', '_').upper()}"
    hint = (
        "write it with `https://` or `http://` (it comes from the provider's settings, "
        f"{variable}, AWS_ENDPOINT_URL or the AWS profile)"
    )
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username:
        raise SetupError(f"`{url}` is not the URL of an endpoint", hint)
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", ""))

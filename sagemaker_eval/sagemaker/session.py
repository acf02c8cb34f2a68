"""Where calls go and who signs them: region, endpoint URL and credentials, as boto3 would resolve them.

Nothing here calls AWS, and boto3 is imported only when a target is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import AwsSettings, StaticKeys
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.hints import one_line
from sagemaker_eval.sagemaker.identity import identity_of
from sagemaker_eval.sagemaker.regions import resolve_region

if TYPE_CHECKING:
    import botocore.session
    from botocore.exceptions import ConfigParseError

SERVICE = "sagemaker-runtime"


@dataclass(frozen=True, slots=True)
class Target:
    """One way to SageMaker Runtime.

    `url` is the endpoint URL without a trailing slash; `identity` tells accounts apart in cache keys
    (`identity.identity_of`); `ca_bundle` is the file of certificates to trust, None for botocore's own.
    """

    url: str
    region: str
    identity: str
    credentials: CredentialSource
    ca_bundle: str | None = None


def resolve_target(settings: AwsSettings, environ: Mapping[str, str], notice: Callable[[str], None]) -> Target:
    """The target of one provider. `Targets` shares sessions among several. Raises `SetupError`."""
    return Targets(environ, notice).resolve(settings)


class Targets:
    """The targets of a run: each distinct setting is resolved once, and credentials are shared between regions.

    `environ` must be what `os.environ` holds, for botocore reads that. A notice is given once, however many
    settings lead to it.
    """

    def __init__(self, environ: Mapping[str, str], notice: Callable[[str], None]) -> None:
        self._environ = environ
        self._notice = notice
        self._noticed: set[str] = set()
        self._targets: dict[AwsSettings, Target] = {}
        self._sessions: dict[str | None, botocore.session.Session] = {}
        self._sources: dict[tuple[str | None, StaticKeys | None], CredentialSource] = {}

    def resolve(self, settings: AwsSettings) -> Target:
        """The target of `settings`. Raises `SetupError` for an unknown profile, a broken file, a bad region or URL."""
        if settings not in self._targets:
            self._targets[settings] = self._resolve(settings)
        return self._targets[settings]

    def _resolve(self, settings: AwsSettings) -> Target:
        session = self._session(settings.profile)
        name = settings.profile or session.profile or "default"
        profile = session.get_scoped_config()
        region = resolve_region(settings.region, self._environ, profile.get("region"), self._notice_once)
        return Target(
            url=endpoint_url(settings, region, session, self._environ),
            region=region,
            identity=identity_of(settings, self._environ, name, profile),
            credentials=self._source(settings, session),
            ca_bundle=session.get_config_variable("ca_bundle") or self._environ.get("REQUESTS_CA_BUNDLE") or None,
        )

    def _session(self, profile: str | None) -> botocore.session.Session:
        if profile not in self._sessions:
            self._sessions[profile] = open_session(profile)
        return self._sessions[profile]

    def _source(self, settings: AwsSettings, session: botocore.session.Session) -> CredentialSource:
        key = (settings.profile, settings.keys)
        if key not in self._sources:
            self._sources[key] = _credential_source(settings, session)
        return self._sources[key]

    def _notice_once(self, message: str) -> None:
        if message not in self._noticed:
            self._noticed.add(message)
            self._notice(message)


def open_session(profile: str | None) -> botocore.session.Session:
    """The botocore session of a profile, its files read. Raises `SetupError` for broken files and unknown profiles."""
    import botocore.session
    from botocore.exceptions import ConfigParseError, ProfileNotFound

    session = botocore.session.Session(profile=profile)
    try:
        session.get_scoped_config()
    except ProfileNotFound:
        raise _unknown_profile(session) from None
    except ConfigParseError as error:
        raise _broken_file(error) from None
    return session


def _unknown_profile(session: botocore.session.Session) -> SetupError:
    name = str(session.profile)
    known = sorted(session.available_profiles)
    hint = f"there are: {', '.join(f'`{profile}`' for profile in known)}" if known else "`aws configure` makes one"
    if nearest := nearest_name(name, known):
        hint = f"did you mean `{nearest}`? {hint}"
    return SetupError(f"there is no AWS profile `{name}`", hint)


def _broken_file(error: ConfigParseError) -> SetupError:
    """Names file and line alone: what stands on the line may be a secret."""
    cause = error.kwargs.get("error")
    line = getattr(cause, "lineno", None) or next((number for number, _ in getattr(cause, "errors", [])), None)
    where = f"`{error.kwargs['path']}`" + (f", line {line}" if line else "")
    return SetupError(f"the AWS configuration cannot be read: {where}", "each line needs the form `name = value`")


def _credential_source(settings: AwsSettings, session: botocore.session.Session) -> CredentialSource:
    if settings.keys:
        return CredentialSource.of_keys(settings.keys)

    def load() -> Any:
        import boto3

        return boto3.Session(botocore_session=session).get_credentials()

    return CredentialSource(load, profile=settings.profile or session.profile)


def endpoint_url(
    settings: AwsSettings, region: str, session: botocore.session.Session, environ: Mapping[str, str]
) -> str:
    """The URL that calls go to, without a trailing slash: the configured one, else what botocore's rules give.

    Configured: `settings.endpoint_url`, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME, AWS_ENDPOINT_URL, `services` and
    `endpoint_url` of the profile. Raises `SetupError` for a URL that is none, and for a combination of FIPS, dual
    stack and region that does not exist.
    """
    url = settings.endpoint_url or _configured_url(session, environ)
    return _checked_url(url) if url else _computed_url(region, session)


def _configured_url(session: botocore.session.Session, environ: Mapping[str, str]) -> str | None:
    from botocore.configprovider import ConfiguredEndpointProvider

    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return None
    url: str | None = ConfiguredEndpointProvider(
        full_config=session.full_config,
        scoped_config=session.get_scoped_config(),
        client_name=SERVICE,
        environ=environ,
    ).provide()
    return url


def _checked_url(url: str) -> str:
    hint = (
        "write it with `https://` or `http://` (it comes from the provider's settings, "
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME, AWS_ENDPOINT_URL or the AWS profile)"
    )
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username:
        raise SetupError(f"`{url}` is not the URL of an endpoint", hint)
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


def _computed_url(region: str, session: botocore.session.Session) -> str:
    from botocore.endpoint_provider import EndpointProvider
    from botocore.exceptions import EndpointProviderError

    loader = session.get_component("data_loader")
    rules = loader.load_service_model(SERVICE, "endpoint-rule-set-1")
    try:
        endpoint = EndpointProvider(rules, loader.load_data("partitions")).resolve_endpoint(
            Region=region,
            UseFIPS=bool(session.get_config_variable("use_fips_endpoint")),
            UseDualStack=bool(session.get_config_variable("use_dualstack_endpoint")),
        )
    except EndpointProviderError as error:
        raise SetupError(
            f"SageMaker Runtime has no such endpoint in {region}: {one_line(str(error))}",
            "check AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT",
        ) from error
    return str(endpoint.url)


def static_target(
    url: str, region: str, identity: str, access_key_id: str, secret_access_key: str, session_token: str | None = None
) -> Target:
    """A target with fixed keys that asks no profile, no file and no environment for anything."""
    keys = StaticKeys(access_key_id, secret_access_key, session_token)
    return Target(url.rstrip("/"), region, identity, CredentialSource.of_keys(keys))

"""Where calls go and who signs them: region, endpoint URL and credentials, as boto3 would resolve them.

Nothing here calls AWS, and boto3 is imported only when a target is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import AwsSettings, StaticKeys
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.sagemaker.addresses import AddressBook
from sagemaker_eval.sagemaker.credential_chain import credential_walk
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.identity import identity_of
from sagemaker_eval.sagemaker.regions import resolve_region

if TYPE_CHECKING:
    import botocore.session
    from botocore.exceptions import ConfigParseError


@dataclass(frozen=True, slots=True)
class Target:
    """One way to SageMaker Runtime, and to the services beside it.

    URLs have no trailing slash; `identity` tells accounts apart in cache keys (`identity.identity_of`); `ca_bundle` is
    the file of certificates to trust, None for botocore's own.
    """

    url: str
    region: str
    identity: str
    credentials: CredentialSource
    ca_bundle: str | None = None
    control_url: str | None = None
    """Where endpoints are described; None where that must not be asked."""
    pricing_url: str | None = None
    """Where AWS's price list is; None where that must not be asked."""
    profile: str | None = field(default=None, repr=False)
    services_url: str | None = None
    """Where all other services are; None: where AWS and the profile have them."""

    def boto3_client(self, service: str) -> Any:
        """A boto3 client of another service (`s3`), with this target's region and credentials.

        Its calls block, and so may the credentials at a first call: use it in threads.
        """
        from sagemaker_eval.sagemaker.boto3_clients import open_client

        return open_client(
            service, self.region, self.credentials, self.profile, url=self.services_url, ca_bundle=self.ca_bundle
        )


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
        self._sources: dict[AwsSettings, CredentialSource] = {}

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
        addresses = AddressBook(session, self._environ).addresses(settings.endpoint_url, region)
        return Target(
            url=addresses.runtime,
            region=region,
            identity=identity_of(settings, self._environ, name, profile),
            credentials=self._source(settings, region, session),
            ca_bundle=session.get_config_variable("ca_bundle") or self._environ.get("REQUESTS_CA_BUNDLE") or None,
            control_url=addresses.control,
            pricing_url=addresses.pricing,
            profile=settings.profile,
        )

    def _session(self, profile: str | None) -> botocore.session.Session:
        if profile not in self._sessions:
            self._sessions[profile] = open_session(profile)
        return self._sessions[profile]

    def _source(self, settings: AwsSettings, region: str, session: botocore.session.Session) -> CredentialSource:
        key = replace(settings, region=None, endpoint_url=None)
        if key not in self._sources:
            profile = None if settings.keys else settings.profile or session.profile
            walk = credential_walk(settings, region, _first(session))
            self._sources[key] = CredentialSource(walk, profile=profile)
        return self._sources[key]

    def _notice_once(self, message: str) -> None:
        if message not in self._noticed:
            self._noticed.add(message)
            self._notice(message)


def _first(session: botocore.session.Session) -> Callable[[str | None], botocore.session.Session]:
    """Gives out `session`, whose files are read already, and from the second call on new ones."""
    ready = [session]
    return lambda profile: ready.pop() if ready else open_session(profile)


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


def static_target(
    url: str, region: str, identity: str, access_key_id: str, secret_access_key: str, session_token: str | None = None
) -> Target:
    """A target with fixed keys that asks no profile, no file and no environment; `url` is that of every service."""
    keys = StaticKeys(access_key_id, secret_access_key, session_token)
    url = url.rstrip("/")
    return Target(
        url=url,
        region=region,
        identity=identity,
        credentials=CredentialSource.of_keys(keys),
        control_url=url,
        pricing_url=url,
        services_url=url,
    )

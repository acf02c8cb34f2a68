"""Where credentials come from: keys, AWS's chain, or a role that is assumed with either.

Everything here is called when credentials are first needed, and may read files, start programs and call AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import AwsSettings, StaticKeys
from sagemaker_eval.sagemaker.hints import one_line

if TYPE_CHECKING:
    import botocore.session
    from botocore.credentials import Credentials

    OpenSession = Callable[[str | None], botocore.session.Session]

ROLE_SESSION_NAME = "sageval"
"""How the calls of an assumed role are marked in AWS's audit log."""

_STS_CONNECT_TIMEOUT_S = 5
_STS_READ_TIMEOUT_S = 15


def credential_walk(settings: AwsSettings, region: str, open_session: OpenSession) -> Callable[[], Credentials | None]:
    """A function that finds the credentials of `settings`; each call walks the chain anew, files included.

    It returns None where the chain ends without any. A role of the settings is assumed through STS in `region`, and
    again whenever its session is about to end.
    """

    def walk() -> Credentials | None:
        session = open_session(settings.profile)
        source = _of_keys(settings.keys) if settings.keys else _of_chain(session)
        if source is None or settings.role_arn is None:
            return source
        return _assumed(settings.role_arn, settings.external_id, source, session, region)

    return walk


def _of_keys(keys: StaticKeys) -> Credentials:
    from botocore.credentials import Credentials

    return Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)


def _of_chain(session: botocore.session.Session) -> Any:
    import boto3

    return boto3.Session(botocore_session=session).get_credentials()


def _assumed(
    role_arn: str, external_id: str | None, source: Credentials, session: botocore.session.Session, region: str
) -> Credentials:
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.exceptions import ClientError, ParamValidationError

    fetcher = AssumeRoleCredentialFetcher(
        client_creator=_sts_clients(session, region),
        source_credentials=source,
        role_arn=role_arn,
        extra_args={"RoleSessionName": ROLE_SESSION_NAME} | ({"ExternalId": external_id} if external_id else {}),
    )

    def refresh() -> dict[str, Any]:
        try:
            fetched: dict[str, Any] = fetcher.fetch_credentials()
        except (ClientError, ParamValidationError) as error:
            raise _refused(role_arn, error) from error
        return fetched

    return DeferredRefreshableCredentials(refresh_using=refresh, method="assume-role")


def _sts_clients(session: botocore.session.Session, region: str) -> Callable[..., Any]:
    """Makes the STS clients of one role: in a region, so that no global default is needed, and with short waits."""
    from botocore.config import Config

    config = Config(connect_timeout=_STS_CONNECT_TIMEOUT_S, read_timeout=_STS_READ_TIMEOUT_S)

    def create(service: str, **options: Any) -> Any:
        return session.create_client(service, region_name=region, config=config, **options)

    return create


def _refused(role_arn: str, error: Exception) -> SetupError:
    return SetupError(
        f"the role `{role_arn}` cannot be assumed: {one_line(str(error))}",
        "check `roleArn` and `externalId`, the role's trust policy, and that the caller may `sts:AssumeRole` it",
    )

"""boto3 clients of the services beside SageMaker, signed with the credentials that the run already has."""

from __future__ import annotations

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials

from sagemaker_eval.sagemaker.credentials import CredentialSource

_CONNECT_TIMEOUT_S = 5
_MAX_CONNECTIONS = 32
"""As many as threads that a loop's default executor may have."""

_NOWHERE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""Settings of a botocore session that reads no file and no name of a profile."""


class SharedCredentials(Credentials):
    """The credentials of a `CredentialSource`, asked for at each signature. That may block: sign in a thread."""

    def __init__(self, source: CredentialSource) -> None:
        self.method = "shared"
        self.account_id: Any = None
        self._source = source

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return self._source.current()

    def load_credentials(self) -> SharedCredentials:
        """These, for the place where botocore looks up the chain."""
        return self


def open_client(
    service: str,
    region: str,
    source: CredentialSource,
    profile: str | None,
    *,
    url: str | None = None,
    ca_bundle: str | None = None,
) -> Any:
    """A client of `service`, which may be used in several threads.

    Its settings are those of `profile`; with `url` every call goes there, past proxies, and no file is read.
    """
    session = botocore.session.Session(profile=profile) if url is None else botocore.session.Session(_NOWHERE)
    session.register_component("credential_provider", SharedCredentials(source))
    config = Config(
        connect_timeout=_CONNECT_TIMEOUT_S,
        max_pool_connections=_MAX_CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    if url is not None:
        config = config.merge(Config(proxies={}, s3={"addressing_style": "path"}))
    boto = boto3.Session(botocore_session=session, region_name=region)
    return boto.client(service, endpoint_url=url, config=config, verify=ca_bundle)  # type: ignore[call-overload]

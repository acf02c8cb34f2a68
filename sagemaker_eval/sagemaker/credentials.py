"""Who signs: credentials of the AWS chain, found at the first real call and kept fresh without blocking the loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import StaticKeys
from sagemaker_eval.sagemaker.credential_failures import credential_failure, no_credentials

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

_RETRY_AFTER_S = 60.0
"""Pause after a refresh that failed while the old credentials still hold (botocore begins 15 minutes early)."""


class CredentialSource:
    """The credentials of one profile or one pair of keys. Nothing is looked up before the first `current` or `fresh`.

    `load` walks the chain; it may read files, start programs, ask on the terminal and call AWS. `profile` is the
    name that messages tell the user to sign in to.
    """

    def __init__(
        self,
        load: Callable[[], Credentials | None],
        profile: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.profile = profile
        self._load = load
        self._clock = clock
        self._credentials: Credentials | None = None
        self._frozen: ReadOnlyCredentials | None = None
        self._last: ReadOnlyCredentials | None = None
        self._not_before = 0.0
        self.secrets: frozenset[str] = frozenset()
        """What must never be shown: the secret keys and session tokens of all credentials up to now."""
        self._exhausted: ReadOnlyCredentials | None = None
        self._lock = asyncio.Lock()
        self._listeners: list[Callable[[list[str | None]], None]] = []

    @classmethod
    def of_keys(cls, keys: StaticKeys) -> CredentialSource:
        """A source of fixed keys."""

        def load() -> Credentials:
            from botocore.credentials import Credentials

            return Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)

        return cls(load)

    def __repr__(self) -> str:
        return f"CredentialSource(profile={self.profile!r})"

    def tell(self, listener: Callable[[list[str | None]], None]) -> None:
        """Have `listener` told the secrets among all credentials, now and to come, so that it can keep them hidden."""
        if listener in self._listeners:
            return
        self._listeners.append(listener)
        if self._last is not None:
            listener([self._last.access_key, self._last.secret_key, self._last.token])

    def current(self) -> ReadOnlyCredentials:
        """Valid credentials, refreshed where that is due. May block; raises `SetupError` where there are none."""
        if self._frozen is not None and not self._refresh_due():
            return self._frozen
        try:
            self._credentials = self._credentials or self._load()
            if self._credentials is None:
                raise no_credentials(self.profile)
            self._take(self._credentials.get_frozen_credentials())
        except SetupError:
            raise
        except Exception as error:  # the chain runs what the user configured: files, programs, plugins
            raise credential_failure(error, self.profile) from error
        if self._refresh_due():
            self._not_before = self._clock() + _RETRY_AFTER_S
        assert self._frozen is not None
        return self._frozen

    async def fresh(self) -> ReadOnlyCredentials:
        """As `current`, but what may block happens in a thread, once for all who wait. Raises `SetupError`."""
        if self._frozen is not None and not self._refresh_due():
            return self._frozen
        async with self._lock:
            if self._frozen is not None and not self._refresh_due():
                return self._frozen
            return await asyncio.to_thread(self.current)

    async def renew(self, used: ReadOnlyCredentials) -> ReadOnlyCredentials | None:
        """Other credentials in the place of `used`, which AWS found expired; None where the chain has no others.

        The chain is walked anew once for all who used the same credentials; meanwhile `fresh` waits, so that no
        further call goes out with them. Raises `SetupError` where the chain fails.
        """
        async with self._lock:
            if self._frozen in (None, used) and self._exhausted != used:
                self._exhausted = used
                self._credentials = self._frozen = None
                await asyncio.to_thread(self.current)
            return None if self._frozen == used else self._frozen

    def _take(self, frozen: ReadOnlyCredentials) -> None:
        if frozen == self._last:
            self._frozen = self._last  # the very object: what was derived from it still holds
            return
        self._frozen = self._last = frozen
        self.secrets |= {secret for secret in (frozen.secret_key, frozen.token) if secret}
        for listener in self._listeners:
            listener([frozen.access_key, frozen.secret_key, frozen.token])

    def _refresh_due(self) -> bool:
        refresh_needed = getattr(self._credentials, "refresh_needed", None)
        return refresh_needed is not None and refresh_needed() and self._clock() >= self._not_before

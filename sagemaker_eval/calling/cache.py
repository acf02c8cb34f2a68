"""Answers that were already paid for: from the cache, or from an equal call that is under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sagemaker_eval.calling.cache_origin import Keys, Origin
from sagemaker_eval.calling.cache_probe import LookedUp, Probe
from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.calling.single_flight import SingleFlight
from sagemaker_eval.model import Answer, Invoke, Request, Timings


class Cached:
    """Answers from `store` where it can, and stores what it has to ask for; only successes come this far.

    Equal requests in flight are sent once: whoever joins gets the same answer, marked `cached` since it cost no call,
    or the same error. `flights` may be shared, so that providers of one endpoint join each other as well. What another
    process with the same store is asking for is waited for, and asked for here where it came to nothing.
    With `refresh` the store is written and never read. Without a store nothing is read, written or joined. `Keys`
    tell what their keys are made of, which is kept beside the answer; of other functions only the request is known.
    """

    def __init__(
        self,
        inner: Invoke,
        store: CacheStore | None,
        key: Callable[[Request], str],
        *,
        refresh: bool = False,
        flights: SingleFlight | None = None,
    ) -> None:
        self._inner = inner
        self._store = store
        self._key = key
        self._origin = key.origin if isinstance(key, Keys) else Origin.of
        self._refresh = refresh
        self._flights = flights or SingleFlight()

    async def __call__(self, request: Request) -> Answer:
        store = self._store
        if store is None:
            return await self._inner(request)
        key = self._key(request)
        if isinstance(store, Probe):
            raise LookedUp(key, self._origin(request), request.body)
        if not self._refresh and (stored := store.get(key)) is not None:
            return _from_cache(stored)

        async def ask() -> Answer:
            if not self._refresh:
                await store.claims.wait(key, request.endpoint)
                if (stored := store.get(key, again=True)) is not None:
                    store.claims.release(key)
                    return _from_cache(stored)
            return await self._asked(request, key, store)

        answer, joined = await self._flights.run(key, ask)
        return _from_cache(answer) if joined else answer

    async def _asked(self, request: Request, key: str, store: CacheStore) -> Answer:
        """The answer of the endpoint. The claim is held until others can read the answer, or until there is none."""
        try:
            answer = await self._inner(request)
        except BaseException:
            store.claims.release(key)
            raise
        store.put(key, answer, self._origin(request))
        return answer

    def stored(self, request: Request) -> Answer | None:
        """The answer that the store has for a request; None where it has to be asked for."""
        if self._store is None or self._refresh:
            return None
        stored = self._store.get(self._key(request))
        return None if stored is None else _from_cache(stored)

    def keep(self, request: Request, answer: Answer) -> None:
        """Store the answer to a request that was not made by itself: a part of what a batch was answered."""
        if self._store is not None:
            self._store.put(self._key(request), answer, self._origin(request))

    async def fresh(self, request: Request) -> Answer:
        """The answer to a request as it comes now: nothing is read from the store and nothing put into it."""
        return await self._inner(request)


def _from_cache(answer: Answer) -> Answer:
    """`answer` as it is given a second time: no call was made and no time spent, but what was measured stays true."""
    told = answer.timings
    timings = Timings(wire=told.wire, first_token=told.first_token, inter_token=told.inter_token)
    return replace(answer, cached=True, attempts=0, timings=timings)

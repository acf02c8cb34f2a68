from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.calling.cache import Cached
from sagemaker_eval.calling.cache_origin import Keys
from sagemaker_eval.calling.cache_probe import LookedUp, Probe
from sagemaker_eval.model import Answer, Request

REQUEST = Request("llama", b"hello")
KEYS = Keys("account 1", "https://runtime.example.com", "eu-west-1")


async def unreachable(request: Request) -> Answer:
    raise AssertionError("a call was made")


@pytest.mark.parametrize("refresh", [False, True])
def test_a_request_is_stopped_where_it_would_be_looked_up(
    run: Callable[[Coroutine[Any, Any, None]], None], tmp_path: Path, refresh: bool
) -> None:
    async def scene() -> None:
        with Probe(tmp_path, pytest.fail) as probe:
            probe.put(KEYS(REQUEST), Answer(b"kept"))
            with pytest.raises(LookedUp) as stopped:
                await Cached(unreachable, probe, KEYS, refresh=refresh)(REQUEST)
        assert (stopped.value.key, stopped.value.body) == (KEYS(REQUEST), b"hello")
        assert stopped.value.origin == KEYS.origin(REQUEST)

    run(scene())

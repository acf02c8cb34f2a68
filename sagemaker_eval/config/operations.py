"""How an endpoint is asked, of the keys `stream`, `async` and `transport`."""

from __future__ import annotations

from sagemaker_eval.config.explaining import KeyProblem, check, misshapen
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.schema import AsyncEntry, ModelConfig, SageMakerConfig
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AsyncOptions, Json, Operation, Place

_DEFAULTS = AsyncOptions()
_S3 = "s3://"


def read_operation(config: ModelConfig, where: Place, *, embedding: bool) -> Operation:
    """The operation that the keys ask for. Raises `ConfigError` where two of them contradict each other."""
    asked = _asked(config)
    if asked.keys() == {"stream", "transport"}:
        del asked["stream"]
    problems = Problems()
    if len(asked) > 1:
        told = " and ".join(f"`{_shown(key)}`" for key in asked)
        hint = "keep one of them: each is a way of its own to ask an endpoint"
        problems.keep(KeyProblem(f"{told} do not go together", within(where, next(reversed(asked))), hint))
    for key, operation in asked.items():
        if embedding and operation is not Operation.ASYNC:
            told = f"`{_shown(key)}` means nothing to an embedding endpoint, which answers with vectors"
            problems.keep(KeyProblem(told, within(where, key), "take it out"))
    problems.check()
    return next(iter(asked.values()), Operation.INVOKE)


def _asked(config: ModelConfig) -> dict[str, Operation]:
    """The operations that keys ask for, by those keys."""
    asked = {"stream": Operation.STREAM} if config.stream else {}
    if isinstance(config, SageMakerConfig):
        asked |= {"async": Operation.ASYNC} if _switch(config.async_) not in (None, False) else {}
        asked |= {"transport": Operation.OPENAI} if config.transport == "openai" else {}
    return asked


def _switch(raw: Json) -> Json:
    """`raw`, or what it means where an environment variable made a text of true or false."""
    return {"true": True, "false": False}.get(raw.lower(), raw) if isinstance(raw, str) else raw


def _shown(key: str) -> str:
    return "transport: openai" if key == "transport" else key


def read_async(raw: Json, where: Place) -> AsyncOptions:
    """What `async` says: true, false, or a map. Raises `ConfigError`; `where` is that of `async`."""
    if _switch(raw) in (None, True, False):
        return _DEFAULTS
    if not isinstance(raw, dict):
        raise misshapen("true, false or a map", raw, where)
    entry = check(AsyncEntry, raw, where)
    bucket, prefix = _location(entry, where)
    return AsyncOptions(
        bucket=bucket,
        prefix=prefix,
        poll_ms=entry.poll_ms or _DEFAULTS.poll_ms,
        timeout_ms=entry.timeout_ms or _DEFAULTS.timeout_ms,
        request_ttl_seconds=entry.request_ttl_seconds,
        invocation_timeout_seconds=entry.invocation_timeout_seconds,
    )


def _location(entry: AsyncEntry, where: Place) -> tuple[str | None, str]:
    """The bucket and the prefix in it, which ends in `/`."""
    if entry.bucket is None:
        if entry.prefix is not None:
            raise ConfigError.of("`prefix` stands without `bucket`", within(where, "prefix"), "add `bucket` beside it")
        return None, _DEFAULTS.prefix
    bucket, _, inside = entry.bucket.removeprefix(_S3).partition("/")
    inside = inside.strip("/")
    if inside and entry.prefix is not None:
        told = f"`bucket` names the prefix `{inside}` already"
        raise ConfigError.of(told, within(where, "prefix"), "keep one of the two prefixes")
    chosen = inside or (entry.prefix or _DEFAULTS.prefix).strip("/")
    return bucket, f"{chosen}/"

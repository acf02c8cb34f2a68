"""The forms of a provider: an id, an object with an `id`, a map from one id to the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_eval.config.explaining import check, misshapen
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.schema import ProviderEntry
from sagemaker_eval.model import Json, Place


@dataclass(frozen=True, slots=True)
class Written:
    """A provider as one of its forms has it: `selector` is the id that says who answers, `at` where that stands."""

    selector: str
    at: Place
    raw: Json
    raw_at: Place

    @property
    def config(self) -> Json:
        """The `config` as it was written."""
        return self.raw.get("config") if isinstance(self.raw, Mapping) else None

    @property
    def own_env(self) -> Json:
        """The `env` as it was written."""
        return self.raw.get("env") if isinstance(self.raw, Mapping) else None


def read_form(raw: Json, where: Place) -> Written:
    """The provider that `raw` is. Raises `ConfigError` for what has none of the forms."""
    if isinstance(raw, str):
        return Written(raw, where, {}, where)
    if not isinstance(raw, Mapping):
        raise misshapen("an id or a map", raw, where)
    if len(raw) == 1:
        (key, value), *_ = raw.items()
        if key not in ProviderEntry.known_keys() and (":" in key or isinstance(value, Mapping | None)):
            inside = within(where, key)
            return Written(key, inside, {} if value is None else value, inside)
    selector = raw.get("id")
    if selector is None:
        problems = Problems()
        problems.attempt(lambda: check(ProviderEntry, raw, where))
        problems.add("`id` is missing in a provider", where, "for example `id: sagemaker:my-endpoint`")
        problems.check()
    if not isinstance(selector, str):
        raise misshapen("text", selector, within(where, "id"))
    return Written(selector, within(where, "id"), raw, where)

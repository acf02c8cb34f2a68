"""What the objects of a configuration file have in common: names in camelCase, and no key that they do not know."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from sagemaker_eval.model import Json

Map = dict[str, Json]


class Entry(BaseModel):
    """An object of the file. A key that is null counts as absent; a key that is no field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    where_it_stands: ClassVar[str] = "here"
    later: ClassVar[frozenset[str]] = frozenset()
    """Keys that are refused as not yet supported."""

    @classmethod
    def known_keys(cls) -> tuple[str, ...]:
        """The keys that this object may have, as the file writes them."""
        return tuple(sorted(field.alias or name for name, field in cls.model_fields.items()))

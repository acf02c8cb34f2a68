"""The members of SageMaker's operations that say who answers and how a call is marked: names, operations, constraints.

The constraints are those of the service's own model. botocore checks of them only least lengths, so that a bad value
would otherwise travel to AWS, or go out as something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_eval.model import Operation

NEW_SESSION = "NEW_SESSION"

_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"
_MARKED = r"[!-~][ -~]*"
_PRINTABLE = r"[ -~]+"

_INVOKE = frozenset({Operation.INVOKE})
_DIRECT = frozenset({Operation.INVOKE, Operation.STREAM})
_SERVICE = _DIRECT | {Operation.ASYNC}


@dataclass(frozen=True, slots=True)
class Member:
    """One member: `key` is its name in a configuration, `name` that of botocore; `longest` is in characters."""

    key: str
    name: str
    pattern: re.Pattern[str]
    longest: int
    described: str
    operations: frozenset[Operation]
    sensitive: bool = False
    """Whether its values are kept out of messages."""

    def flaw(self, value: str) -> str | None:
        """What keeps `value` from being sent, as a clause that follows the key; None where nothing does."""
        if len(value) <= self.longest and self.pattern.fullmatch(value):
            return None
        return f"must be {self.described}"


def _member(key: str, pattern: str, longest: int, described: str, operations: frozenset[Operation]) -> Member:
    sensitive = key == "customAttributes"
    told = f"1 to {longest} {described}"
    return Member(key, key[0].upper() + key[1:], re.compile(pattern), longest, told, operations, sensitive)


_ALL = (
    _member("customAttributes", _PRINTABLE, 1024, "printable ASCII characters", _SERVICE),
    _member("enableExplanations", _PRINTABLE, 64, "printable ASCII characters", _INVOKE),
    _member("inferenceComponentName", _NAME, 63, "letters, digits and inner hyphens", _DIRECT | {Operation.OPENAI}),
    _member("inferenceId", _MARKED, 64, "printable ASCII characters, the first no blank", _SERVICE),
    _member("prefixAwareId", _MARKED, 64, "printable ASCII characters, the first no blank", _DIRECT),
    _member(
        "sessionId", f"{NEW_SESSION}|{_NAME}", 256, f"letters, digits and inner hyphens, or `{NEW_SESSION}`", _DIRECT
    ),
    _member("targetContainerHostname", _NAME, 63, "letters, digits and inner hyphens", _DIRECT),
    _member("targetModel", _MARKED, 1024, "printable ASCII characters, the first no blank", _INVOKE),
    _member("targetVariant", _NAME, 63, "letters, digits and inner hyphens", _DIRECT),
)

MEMBERS: Mapping[str, Member] = {member.name: member for member in _ALL}
"""By botocore's names."""

BY_KEY: Mapping[str, Member] = {member.key: member for member in _ALL}


def is_templated(text: str) -> bool:
    """Whether a value has template marks, so that it is known only for a case."""
    return "{{" in text or "{%" in text or "{#" in text

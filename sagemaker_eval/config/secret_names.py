"""Which names are those of secrets, and which values of such names are: the rule behind all masking."""

from __future__ import annotations

import os
import re
from functools import cache

SHORTEST = 8
"""Characters of the shortest value that is looked for by value: shorter ones occur in ordinary text."""

_SECRET = re.compile(
    "secret|passw(?:or)?d|passphrase|passcode|credential|authorization|cookie|connectionstring|basicauth"
    "|(?:access|account|api|auth|encryption|master|private|shared|signing|subscription)key"
    "|(?:token|bearer|pwd)$"
)
_DESCRIBING = re.compile(
    "age|arn|backend|class|count|days|dir|directory|enabled|expiration|expires|expiry|field|file|folder|format|header"
    "|helper|hint|id|length|lifetime|limit|location|manager|max|min|mode|name|parameter|path|pattern|policy|prefix"
    "|profile|prompt|provider|region|required|rotation|size|source|store|suffix|timeout|ttl|type|uri|url|version"
)
"""Last words of names that tell about a secret instead of holding it: `GOOGLE_APPLICATION_CREDENTIALS_FILE`."""

_OF_TEXT = re.compile("begin|bos|cls|end|eos|first|image|last|mask|max|min|new|next|pad|per|sep|special|start|stop|unk")
"""Before `token` these speak of pieces of text, or of pages of a listing."""

_NO_SECRETS = frozenset({"GOOGLE_APPLICATION_CREDENTIALS", "OLDPWD", "PWD"})
"""Variables that sound like secrets and hold paths."""

_PERHAPS = frozenset({"auth", "code", "jwt", "key", "pass", "pat", "sig", "signature"})
"""Last words of names that hold a secret where the value looks like one."""

_PLACEHOLDERS = re.compile(
    "anonymous|changeme|development|disabled|localhost|localstack|minioadmin|optional|passwords?|postgres|production"
    "|redacted|required|testtest|undefined|username"
)
"""What stands in the place of a secret and is a word of ordinary text."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@cache
def is_credential(key: str) -> bool:
    """Whether a key is named like one that holds a credential, in any spelling: `secretAccessKey`, `API_KEY`."""
    words = _words(key)
    flat = re.sub(r"[^a-z0-9]", "", key.lower())
    if not words or not _SECRET.search(flat) or key in _NO_SECRETS:
        return False
    if _DESCRIBING.fullmatch(words[-1]):
        return flat.endswith("accesskeyid")
    return not (words[-1] == "token" and len(words) > 1 and _OF_TEXT.fullmatch(words[-2]))


def is_secret(name: str, value: str) -> bool:
    """Whether the value of a name is a secret that can be recognised by value."""
    if len(value) < SHORTEST or _PLACEHOLDERS.fullmatch(value.lower()) or "{{" in value:
        return False
    words = _words(name)
    if not (is_credential(name) or (words and words[-1] in _PERHAPS and looks_random(value))):
        return False
    return not _tells_where(value)


def looks_random(value: str) -> bool:
    """Whether a value looks like a key that a machine made: long, without blanks, letters and digits in it."""
    return (
        len(value) >= 2 * SHORTEST
        and not any(character.isspace() for character in value)
        and any(character.isdigit() for character in value)
        and any(character.isalpha() for character in value)
    )


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _tells_where(value: str) -> bool:
    """Whether a value says which file holds a secret."""
    if value.startswith("file://"):
        return True
    return value.startswith(("/", "~/", "./")) and "\0" not in value and os.path.exists(os.path.expanduser(value))

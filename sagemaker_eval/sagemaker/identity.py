"""Whose account a call is made in, as far as that is known without asking AWS.

Answers are cached per identity, so two accounts with an endpoint of the same name never share one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from sagemaker_eval.model import AwsSettings

_KEY_ID = re.compile(r"(?:AKIA|ASIA)[A-Z2-7]{16}")
_ACCOUNT = re.compile(r"\d{12}")
_NEW_GENERATION = 1 << 47
_ACCOUNT_BITS = _NEW_GENERATION - 1
_PADDING_BITS = 7


def account_of_key(access_key_id: str) -> str | None:
    """The account that an access key id belongs to, None where the id does not tell.

    The 16 characters after the prefix are base32. Their first bit marks ids of the newer generation, and there the
    next 40 bits are the account number (T. Be'ery, "A short note on AWS KEY ID", 2023; P. Sivakumaran, "A bitwise
    analysis of AWS access key identifiers", WithSecure Labs).
    """
    if not _KEY_ID.fullmatch(access_key_id):
        return None
    head = int.from_bytes(base64.b32decode(access_key_id[4:])[:6], "big")
    if not head & _NEW_GENERATION:
        return None
    account = f"{(head & _ACCOUNT_BITS) >> _PADDING_BITS:012d}"
    return account if len(account) == 12 else None


def account_of_arn(arn: str) -> str | None:
    """The account in an ARN, None where it has none."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 and _ACCOUNT.fullmatch(parts[4]) else None


def identity_of(settings: AwsSettings, environ: Mapping[str, str], name: str, profile: Mapping[str, Any]) -> str:
    """`account:<12 digits>` where it can be known, else `profile:<name>`, or `key:<hash>` for undecodable keys.

    A role of the settings decides, since calls are made as that role; `role:<arn>` where its ARN has no account.
    Else looks where the credentials will come from, in the order of botocore's chain: keys of the configuration, then
    (unless the configuration names a profile) keys of the environment, then the profile and the environment's role.
    `name` and `profile` are the profile in effect and its merged section.
    """
    if settings.role_arn:
        account = account_of_arn(settings.role_arn)
        return f"account:{account}" if account else f"role:{settings.role_arn}"
    if settings.keys:
        return _identity_of_keys(settings.keys.access_key_id, None)
    chosen = settings.profile is not None
    if not chosen and (key_id := environ.get("AWS_ACCESS_KEY_ID")):
        return _identity_of_keys(key_id, environ.get("AWS_ACCOUNT_ID"))
    environ_role = "" if chosen else environ.get("AWS_ROLE_ARN", "")
    if account := _account_of_profile(profile, environ_role):
        return f"account:{account}"
    if key_id := profile.get("aws_access_key_id"):
        return _identity_of_keys(str(key_id), None)
    return f"profile:{name}"


def _identity_of_keys(access_key_id: str, account: str | None) -> str:
    account = _plausible(account) or account_of_key(access_key_id)
    if account:
        return f"account:{account}"
    return f"key:{hashlib.sha256(access_key_id.encode()).hexdigest()[:16]}"


def _account_of_profile(profile: Mapping[str, Any], environ_role: str) -> str | None:
    return (
        account_of_arn(str(profile.get("role_arn", "")))
        or account_of_arn(environ_role)
        or _plausible(profile.get("sso_account_id"))
        or _plausible(profile.get("aws_account_id"))
    )


def _plausible(account: Any) -> str | None:
    return str(account) if account and _ACCOUNT.fullmatch(str(account)) else None

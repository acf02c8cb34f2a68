"""What to tell the user when the AWS credential chain fails: one table, by class of exception."""

from __future__ import annotations

from dataclasses import dataclass

from sagemaker_eval.errors import SetupError
from sagemaker_eval.sagemaker.hints import RUN_AGAIN, one_line


@dataclass(frozen=True, slots=True)
class _Failure:
    """`message` and `hint` take {who}, {of}, {option} (` --profile x`, or nothing) and {error}."""

    message: str
    hint: str


_SSO_EXPIRED = _Failure("the SSO session of {who} has expired", "run `aws sso login{option}`, then " + RUN_AGAIN)
_LOGIN = _Failure("{who} is not signed in: {error}", "run `aws login{option}`, then " + RUN_AGAIN)
_CONFIG = _Failure("the AWS configuration of {who} is wrong: {error}", "correct ~/.aws/config or ~/.aws/credentials")
_UNREACHABLE = _Failure(
    "could not reach AWS for the credentials of {who}: {error}",
    "check the network, the proxy variables and AWS_ENDPOINT_URL (which also redirects STS and SSO)",
)

_FAILURES = {
    "NoCredentialsError": _Failure(
        "no AWS credentials found{of}",
        "run `aws configure{option}` or `aws sso login{option}`, or export AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY; in CI, add the step that assumes a role (`configure-aws-credentials`)",
    ),
    "PartialCredentialsError": _Failure("{error}", "set both the access key id and the secret access key"),
    "SSOTokenLoadError": _Failure("{who} is not signed in to SSO", _SSO_EXPIRED.hint),
    "UnauthorizedSSOTokenError": _SSO_EXPIRED,
    "TokenRetrievalError": _SSO_EXPIRED,
    "LoginError": _LOGIN,
    "LoginTokenLoadError": _LOGIN,
    "LoginRefreshRequired": _LOGIN,
    "ProfileNotFound": _CONFIG,
    "ConfigNotFound": _CONFIG,
    "ConfigParseError": _CONFIG,
    "InvalidConfigError": _CONFIG,
    "InfiniteLoopConfigError": _CONFIG,
    "UnknownCredentialError": _CONFIG,
    "FileNotFoundError": _Failure(
        "cannot get the credentials of {who}: {error}",
        "correct AWS_WEB_IDENTITY_TOKEN_FILE, or `web_identity_token_file` or `credential_process` of the profile",
    ),
    "CredentialRetrievalError": _Failure(
        "cannot get the credentials of {who}: {error}",
        "run the profile's `credential_process` by hand, or check the credential service of the container",
    ),
    "MetadataRetrievalError": _Failure(
        "the credential service of this container or instance failed: {error}",
        "check AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ),
    "MissingDependencyException": _Failure(
        "the credentials of {who} need an extra library: {error}", 'run `pip install "botocore[crt]"`'
    ),
    "EOFError": _Failure(
        "the role of {who} needs an MFA code, and there is no terminal to ask on",
        "run in a terminal, or export the keys of a session that has passed MFA",
    ),
    "RefreshWithMFAUnsupportedError": _Failure(
        "the session of {who} has expired, and a new one needs an MFA code",
        "sign in again with a longer `duration_seconds`, then " + RUN_AGAIN,
    ),
    "ClientError": _Failure(
        "AWS refused to give credentials to {who}: {error}",
        "check `role_arn`, the role's trust policy, and the credentials that assume it",
    ),
    "HTTPClientError": _UNREACHABLE,
    "ConnectionError": _UNREACHABLE,
    "Exception": _Failure("cannot get the credentials of {who}: {error}", "check with `aws sts get-caller-identity`"),
}


def no_credentials(profile: str | None) -> SetupError:
    """The chain ended without credentials."""
    return _worded(_FAILURES["NoCredentialsError"], profile, "")


def credential_failure(error: Exception, profile: str | None) -> SetupError:
    """The chain raised: the row of the nearest ancestor of the error's class."""
    names = (ancestor.__name__ for ancestor in type(error).__mro__)
    row = next(_FAILURES[name] for name in names if name in _FAILURES)
    if isinstance(error, OSError) and error.filename:
        return _worded(row, profile, f"`{error.filename}`: {error.strerror}")
    return _worded(row, profile, one_line(str(error)) or type(error).__name__)


def _worded(failure: _Failure, profile: str | None, error: str) -> SetupError:
    words = {
        "who": f"profile `{profile}`" if profile else "the default profile",
        "of": f" for profile `{profile}`" if profile else "",
        "option": f" --profile {profile}" if profile else "",
        "error": error,
    }
    return SetupError(failure.message.format(**words), failure.hint.format(**words))

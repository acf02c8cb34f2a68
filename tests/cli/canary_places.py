"""Where a secret can be planted: the places that keep secrets, and those where one turns up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import quote


def canary(name: str) -> str:
    """The secret of a place, recognisable in a failure."""
    return f"canary-{name.replace(' ', '-')}-Zq83/vL5+x="


@dataclass(slots=True)
class Planting:
    """A configuration, an environment and files to plant secrets in. `repeated` is a variable of the test."""

    secret: str
    provider: dict[str, object] = field(default_factory=lambda: {"id": "sagemaker:huggingface:leaky", "config": {}})
    config: dict[str, object] = field(default_factory=dict)
    test: dict[str, object] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    prompt: str = "Say {{repeated}}"
    endpoint: str = "leaky"

    def document(self) -> dict[str, object]:
        failing = {"id": "sagemaker:huggingface:failing", "label": "failing"}
        variables = {"repeated": self.secret, "token": "an-ordinary-word"}
        test = {"vars": variables, "assert": [{"type": "contains", "value": "You said"}], **self.test}
        providers = [self.provider, failing, {"id": "file://provider.py", "label": "ours"}]
        return {"prompts": [self.prompt], "providers": providers, "tests": [test], **self.config}


Plant: TypeAlias = Callable[[Planting], None]


def in_provider(**settings: object) -> Plant:
    return lambda planting: planting.provider.update(_filled(settings, planting.secret))


def in_config(**settings: object) -> Plant:
    return lambda planting: planting.config.update(_filled(settings, planting.secret))


def in_test(**settings: object) -> Plant:
    return lambda planting: planting.test.update(_filled(settings, planting.secret))


def in_environment(name: str, form: str = "SECRET") -> Plant:
    return lambda planting: planting.environ.update({name: form.replace("SECRET", _quoted(form, planting.secret))})


def in_file(name: str, text: str) -> Plant:
    return lambda planting: planting.files.update({name: text.replace("SECRET", planting.secret)})


def both(*plants: Plant) -> Plant:
    def plant(planting: Planting) -> None:
        for each in plants:
            each(planting)

    return plant


def _filled(settings: Mapping[str, object], secret: str) -> dict[str, object]:
    """The settings with the secret in place of `SECRET`, as a URL needs it where it stands in one."""

    def filled(value: object) -> object:
        if isinstance(value, dict):
            return {key: filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [filled(inner) for inner in value]
        return value.replace("SECRET", _quoted(value, secret)) if isinstance(value, str) else value

    return {key: filled(value) for key, value in settings.items()}


def _quoted(form: str, secret: str) -> str:
    return quote(secret, safe="") if "://" in form else secret


WEBHOOK = {"type": "webhook", "value": "http://user:SECRET@127.0.0.1:9/judge"}
WEBHOOK_PARAMETER = {"type": "webhook", "value": "http://127.0.0.1:9/judge?access_token=SECRET"}
PYTHON = {"id": "file://provider.py", "config": {"headers": {"X-Api-Key": "SECRET"}}}
BASIC = {"id": "file://provider.py", "config": {"headers": {"Authorization": "Bearer SECRET"}}}
SOURCES: dict[str, Plant] = {
    "variable of the environment": in_environment("SOURCE_KEY"),
    "password variable": in_environment("DB_PASSWORD"),
    "access key variable": in_environment("AWS_UNUSED_SECRET_ACCESS_KEY"),
    "url in the environment": in_environment("DATABASE_URL", "postgres://admin:SECRET@db/main"),
    "json in the environment": in_environment("GOOGLE_CREDENTIALS", '{"type": "x", "private_key": "SECRET"}'),
    "dotenv file": in_file(".env", "DOTENV_TOKEN='SECRET'\n"),
    "env of the configuration": in_config(env={"GRADER_API_KEY": "SECRET"}),
    "env of a provider": in_provider(env={"CLIENT_SECRET": "SECRET"}),
    "secret key": in_provider(
        config={"accessKeyId": "AKIAORDINARY", "secretAccessKey": "SECRET", "region": "us-east-1"}
    ),
    "session token": in_provider(
        config={"accessKeyId": "AKIAORDINARY", "secretAccessKey": "SECRET", "sessionToken": "SECRET"}
    ),
    "custom attributes": in_provider(config={"customAttributes": "trace=1;api_key=SECRET"}),
    "header": in_config(providers=[PYTHON]),
    "authorization header": in_config(providers=[BASIC]),
    "webhook password": in_test(**{"assert": [WEBHOOK]}),
    "webhook parameter": in_test(**{"assert": [WEBHOOK_PARAMETER]}),
    "config of an assertion": in_test(
        **{"assert": [{"type": "javascript", "value": "false", "config": {"apiKey": "SECRET"}}]}
    ),
    "grader": in_test(
        options={
            "provider": {
                "id": "sagemaker:huggingface:leaky",
                "config": {"accessKeyId": "AKIAORDINARY", "secretAccessKey": "SECRET"},
            }
        }
    ),
    "profile": both(
        in_file("credentials", "[other]\naws_access_key_id = AKIAORDINARY\naws_secret_access_key = SECRET\n"),
        lambda planting: planting.environ.update(AWS_SHARED_CREDENTIALS_FILE="credentials"),
    ),
    "provider file": both(
        in_file("more.yaml", "id: 'file://provider.py'\nlabel: more\nconfig: {password: 'SECRET'}\n"),
        in_config(providers=["file://more.yaml"]),
    ),
}
"""Where a secret is kept; the test repeats it in a variable, so that it is in prompts and answers too."""

SINKS: dict[str, Plant] = {
    "prompt": lambda planting: setattr(planting, "prompt", "{{env.SOURCE_KEY}} and {{repeated}}"),
    "json prompt": lambda planting: setattr(planting, "prompt", '[{"role": "user", "content": "{{env.SOURCE_KEY}}"}]'),
    "label": in_provider(label="with {{env.SOURCE_KEY}}"),
    "description": in_test(description="checks {{env.SOURCE_KEY}}"),
    "description of the suite": in_config(description="checks {{env.SOURCE_KEY}}"),
    "metadata": in_test(metadata={"SECRET": "SECRET"}),
    "tags": in_config(tags={"key": "{{env.SOURCE_KEY}}"}),
    "metric": in_test(**{"assert": [{"type": "contains", "value": "x", "metric": "{{env.SOURCE_KEY}}"}]}),
    "value of an assertion": in_test(**{"assert": [{"type": "equals", "value": "{{env.SOURCE_KEY}}"}]}),
    "exception": in_test(**{"assert": [{"type": "python", "value": "file://check.py"}]}),
    "javascript": in_test(**{"assert": [{"type": "javascript", "value": "console.log(output); throw Error(output)"}]}),
    "provider output": in_test(providerOutput="given SECRET"),
    "transform": in_provider(config={"responseTransform": "btoa(output) + encodeURIComponent(output)"}),
    "python transform": in_provider(config={"responseTransform": "python: repr(output) + output.split(' ')[5]"}),
    "shortened": in_test(**{"assert": [{"type": "is-json"}, {"type": "equals", "value": "x" * 50}]}),
}
"""Where a secret of the environment turns up."""

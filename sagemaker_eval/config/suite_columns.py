"""The prompts and the providers of all files of a configuration, or those that the command line names."""

from __future__ import annotations

from sagemaker_eval.config.configuration import Configuration
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.prompts import build_prompts, distinct_prompts
from sagemaker_eval.config.providers import ProviderContext, build_providers, choose, distinct_providers
from sagemaker_eval.config.sagemaker_options import read_environment
from sagemaker_eval.config.schema import SageMakerEnvironment
from sagemaker_eval.config.top_level import named_providers
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, Prompt, ProviderSpec

_NO_PROVIDERS_HINT = "name at least one, for example `providers: [sagemaker:my-endpoint]`"
_NO_CONFIG_HINT = "give `--config`, or at least `--providers`; `sageval.yaml` in the working folder is found by itself"


def suite_prompts(configuration: Configuration) -> tuple[Prompt, ...]:
    """Those of the command line alone, else those of all files; `{{prompt}}` where there are none at all.

    Raises `ConfigError`, also where one file has a map of prompts and another has none.
    """
    if configuration.overrides.prompts:
        return _prompts(configuration, list(configuration.overrides.prompts), Place("--prompts"), ".")
    found = list(configuration.values("prompts"))
    if not found:
        return _prompts(configuration, None, within(configuration.parts[0].written.where, "prompts"), ".")
    problems = Problems()
    built = problems.attempt_each(found, lambda item: _prompts(configuration, item[1], item[2], item[0].base_path))
    maps = [isinstance(raw, dict) for _, raw, _ in found]
    if any(maps) and not all(maps):
        part, _, _ = found[maps.index(not maps[0])]
        message = "`prompts` are a map in one file and a list in another"
        problems.add(message, within(part.written.where, "prompts"), "write them in the same way in all files")
    prompts = problems.attempt(lambda: distinct_prompts((one for ones in built for one in ones), configuration.notice))
    problems.check(prompts)
    return prompts or ()


def _prompts(configuration: Configuration, raw: Json, where: Place, base_path: str) -> tuple[Prompt, ...]:
    env = configuration.env
    separator = env.get("PROMPTFOO_PROMPT_SEPARATOR") or "---"
    delimiter = env.get("PROMPTFOO_CSV_DELIMITER", ",")
    return build_prompts(raw, where, base_path, configuration.notice, separator, delimiter)


def suite_providers(configuration: Configuration) -> tuple[ProviderSpec, ...]:
    """Those of all files, or what the command line chooses among them and adds. Raises `ConfigError`."""
    wanted = configuration.overrides.providers
    problems = Problems()
    sources = problems.attempt_each(
        configuration.parts, lambda part: (part, *named_providers(part.document, part.written.where))
    )
    problems.check()
    named = [(part, raw, where) for part, raw, where in sources if raw]
    if not named and not wanted:
        raise _no_providers(configuration, sources[0][2])
    built = problems.attempt_each(
        named,
        lambda item: build_providers(item[1], item[2], provider_context(configuration, item[0].base_path, item[1])),
    )
    configured = distinct_providers((spec for specs in built for spec in specs), configuration.notice)
    problems.check(configured)
    return choose(configured, wanted, provider_context(configuration, ".", wanted)) if wanted else configured


def provider_context(configuration: Configuration, base_path: str, source: Json) -> ProviderContext:
    """What the providers that `source` describes are built with; its paths are relative to the folder `base_path`.

    Raises `ConfigError` for a bad default in the environment, which nobody minds where no provider looks at it.
    """
    written = f"{source}"
    asks_model = any(sign in written for sign in ("sagemaker:", "container:", "file://"))
    return ProviderContext(
        configuration.names,
        read_environment(configuration.env) if asks_model else SageMakerEnvironment(),
        base_path,
        configuration.setting("delay", configuration.overrides.delay_ms, None),
        configuration.notice,
        configuration.env,
    )


def _no_providers(configuration: Configuration, where: Place) -> ConfigError:
    if not configuration.parts[0].written.path:
        return ConfigError.of("there is nothing to run: no configuration and no providers", None, _NO_CONFIG_HINT)
    return ConfigError.of("there are no providers", where, _NO_PROVIDERS_HINT)

"""`defaultTest`: written out, or in a file of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from sagemaker_eval.config.explaining import describe
from sagemaker_eval.config.file_values import no_file
from sagemaker_eval.config.folder_tree import rendered_within
from sagemaker_eval.config.local_references import expand_references
from sagemaker_eval.config.references import display_path, is_reference, resolve
from sagemaker_eval.config.test_cases import TestContext, read_default_test
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, TestCase

_FILE_HINT = "for example `file://default-test.yaml`"


def build_default_test(
    raw: Json, where: Place, context: TestContext, env: Mapping[str, str], notice: Callable[[str], None]
) -> TestCase:
    """The test that all others start from. A `file://` path is relative to the folder of the context, and so are the
    paths in that file. Raises `ConfigError`.
    """
    if isinstance(raw, str):
        raw, where = _read(raw, where, context.base_path, env)
    return read_default_test(raw, where, context, {}, notice)


def _read(reference: str, where: Place, base_path: str, env: Mapping[str, str]) -> tuple[Json, Place]:
    """The map in a file, its references and environment templates expanded, and its place."""
    if not is_reference(reference):
        raise ConfigError.of("`defaultTest` must be a map, or a path after `file://`", where, _FILE_HINT)
    path = resolve(reference, base_path)
    ending = Path(path).suffix.lower()
    if ending not in {".yaml", ".yml", ".json"}:
        raise ConfigError.of(f"`{reference}` ends neither in `.yaml`, `.yml` nor in `.json`", where, _FILE_HINT)
    if not os.path.isfile(path):
        raise no_file(reference, base_path, where)
    shown = display_path(path)
    text = read_text(path)
    document = parse_json(text, shown) if ending == ".json" else parse_yaml(text, shown)
    if not isinstance(document, Mapping):
        raise ConfigError.of(f"a default test must be a map, not {describe(document)}", Place(shown))
    return rendered_within(expand_references(document, shown, text).document, env, base_path, shown), Place(shown)

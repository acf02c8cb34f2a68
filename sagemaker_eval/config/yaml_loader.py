"""Reading files of the configuration: text, and the document that YAML or JSON text holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sagemaker_eval.config.json_decoding import RepeatedKey, decode_json
from sagemaker_eval.config.yaml_characters import StandIns
from sagemaker_eval.config.yaml_composer import MAX_DEPTH, Composer, DuplicateKey
from sagemaker_eval.config.yaml_places import Places
from sagemaker_eval.config.yaml_problems import explained
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place
from sagemaker_eval.text.files_read import note_read

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ALWAYS_ALLOWED_ALIASED = 1_000_000


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, without its byte order mark. Raises `ConfigError` where there is none to read."""
    place = Place(str(path))
    note_read(path)
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise ConfigError.of("file not found", place, _missing_folder_hint(Path(path))) from None
    except IsADirectoryError:
        raise ConfigError.of("this is a folder, not a file", place) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError.of(f"the file cannot be read: {reason}", place) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(content, error, str(path)) from None


def _missing_folder_hint(path: Path) -> str | None:
    folder = path.absolute().parent
    return None if folder.exists() else f"its folder `{folder}` does not exist either"


def _not_utf8(content: bytes, error: UnicodeDecodeError, path: str) -> ConfigError:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ConfigError.of("the file is UTF-16, not UTF-8", Place(path, 1), "save it as UTF-8")
    line = content.count(b"\n", 0, error.start) + 1
    message = f"the file is not UTF-8: byte 0x{content[error.start]:02x} at offset {error.start}"
    return ConfigError.of(message, Place(path, line), "save it as UTF-8")


def parse_yaml(text: str, path: str) -> Json:
    """The document of a YAML 1.2 text (core schema and merge keys), None where it is empty.

    Raises `ConfigError` with line and column for anything but one well-formed document with unique keys.
    """
    try:
        return _parse(text, path, None)
    except DuplicateKey:
        return parse_yaml_with_places(text, path)[0]


def parse_yaml_with_places(text: str, path: str) -> tuple[Json, Places]:
    """The document, and where each value and each key of it stands. Raises `ConfigError` as `parse_yaml` does."""
    places = Places()
    return _parse(text, path, places), places


def _parse(text: str, path: str, places: Places | None) -> Json:
    stand_ins = StandIns(text.removeprefix("\ufeff"))
    composer = Composer(path, max(_ALWAYS_ALLOWED_ALIASED, len(text)), places)
    try:
        return composer.document(stand_ins.undone(yaml.parse(stand_ins.text, _LOADER)))
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise explained(error, stand_ins.text, path) from None


def parse_json(text: str, path: str, first_line: int = 1) -> Json:
    """The document of a JSON text, which starts on line `first_line` of the file.

    Raises `ConfigError` with line and column for broken JSON and for what the standard leaves open: repeated keys,
    NaN and infinities, half a surrogate pair, nesting deeper than `MAX_DEPTH`.
    """
    text = text.removeprefix("\ufeff")
    try:
        return decode_json(text, path, first_line, MAX_DEPTH)
    except RepeatedKey as error:
        # JSON is YAML: the other parser knows where both of them stand.
        parse_yaml("\n" * (first_line - 1) + text, path)
        raise ConfigError.of(f"the key `{error}` stands twice in one object", Place(path, first_line)) from None

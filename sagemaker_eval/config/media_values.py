"""Images, sound and video as values of variables: base64, as models that take them expect it."""

from __future__ import annotations

import base64
from pathlib import Path

IMAGES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
}
_SOUND = {".aac", ".aif", ".aifc", ".aiff", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav", ".wma"}
_VIDEO = {".3gp", ".3gpp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"}

MEDIA = frozenset({*IMAGES, *_SOUND, *_VIDEO})
"""The endings of files that become base64."""

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)


def media_value(path: str) -> str:
    """An image as a data URL, sound and video as bare base64. Raises `OSError` where the file cannot be read."""
    content = Path(path).read_bytes()
    encoded = base64.b64encode(content).decode("ascii")
    named = IMAGES.get(Path(path).suffix.lower())
    return encoded if named is None else f"data:{_type_of(content, named)};base64,{encoded}"


def _type_of(content: bytes, named: str) -> str:
    """The type that an image's first bytes tell, which is the true one where its name tells another."""
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for signature, kind in _SIGNATURES if content.startswith(signature)), named)

"""Where the cache lives, and on what kind of file system that is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import platformdirs

MOUNTS = Path("/proc/mounts")

_LOCAL_FUSE = frozenset({"fuseblk", "fuse.fuse-overlayfs"})
_NETWORK = re.compile(r"nfs\d*|cifs|smb\d*|smbfs|9p|afs|ceph|lustre|glusterfs|beegfs|gpfs|fuse.*")


def default_cache_folder(environ: Mapping[str, str]) -> Path:
    """The folder that `SAGEVAL_CACHE_PATH` names, else the user's cache folder as the platform has it."""
    chosen = environ.get("SAGEVAL_CACHE_PATH")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("sageval"))


def filesystem_type(folder: Path, mounts: Path = MOUNTS) -> str | None:
    """The type of the file system that `folder` is on, as `mounts` names it (`nfs4`); None where that is unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    target = os.path.realpath(folder)
    found, depth = None, -1
    for _, mount, kind in (line.split(" ")[:3] for line in lines):
        point = _unescaped(mount)
        if len(point) >= depth and os.path.commonpath((target, point)) == point:
            found, depth = kind, len(point)
    return found


def is_network_filesystem(kind: str | None) -> bool:
    """Whether files there may be shared by machines, which SQLite's write-ahead log cannot bear."""
    return kind is not None and kind not in _LOCAL_FUSE and _NETWORK.fullmatch(kind) is not None


def _unescaped(field: str) -> str:
    """A field of /proc/mounts, in which blanks and backslashes stand as octal escapes (fstab(5))."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)

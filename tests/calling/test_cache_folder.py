from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.calling.cache_folder import default_cache_folder, filesystem_type, is_network_filesystem


def test_the_environment_names_the_folder(tmp_path: Path) -> None:
    assert default_cache_folder({"SAGEVAL_CACHE_PATH": str(tmp_path)}) == tmp_path


def test_a_tilde_is_the_home_folder() -> None:
    assert default_cache_folder({"SAGEVAL_CACHE_PATH": "~/answers"}) == Path.home() / "answers"


@pytest.mark.parametrize("environ", [{}, {"SAGEVAL_CACHE_PATH": ""}])
def test_else_it_is_the_users_cache_folder(environ: dict[str, str]) -> None:
    folder = default_cache_folder(environ)
    assert folder.is_absolute()
    assert "sageval" in folder.parts


def test_the_deepest_and_latest_mount_says_what_a_folder_is_on(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/a / ext4 rw 0 0\nefs:/ {root}/efs nfs4 rw 0 0\n/dev/b {root}/efs/local\\040disk xfs rw 0 0\n"
        f"old:/ {root}/twice cifs rw 0 0\nnew:/ {root}/twice tmpfs rw 0 0\n"
    )
    kinds = {
        name: filesystem_type(root / name, mounts)
        for name in ("here", "efs", "efs/a/b", "efs2", "efs/local disk/a", "twice")
    }
    assert kinds == {
        "here": "ext4",
        "efs": "nfs4",
        "efs/a/b": "nfs4",
        "efs2": "ext4",
        "efs/local disk/a": "xfs",
        "twice": "tmpfs",
    }


def test_a_link_is_followed_to_where_it_leads(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "efs").mkdir()
    (root / "link").symlink_to(root / "efs")
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nefs:/ {root}/efs nfs4 rw 0 0\n")
    assert filesystem_type(root / "link" / "cache", mounts) == "nfs4"


def test_where_mounts_cannot_be_read_the_type_is_unknown(tmp_path: Path) -> None:
    assert filesystem_type(tmp_path, mounts=tmp_path / "missing") is None


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "lustre", "9p", "fuse.sshfs", "fuse.s3fs", "fuse"])
def test_network_filesystems(kind: str) -> None:
    assert is_network_filesystem(kind)


@pytest.mark.parametrize("kind", [None, "ext4", "xfs", "overlay", "tmpfs", "apfs", "fuseblk", "fuse.fuse-overlayfs"])
def test_local_filesystems(kind: str | None) -> None:
    assert not is_network_filesystem(kind)

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_eval.calling import cache_database
from sagemaker_eval.calling.cache_limits import Limits
from sagemaker_eval.calling.cache_origin import Origin
from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.model import Answer, Request, Timings, TokenUsage

ANSWER = Answer(
    b'\x00{"text":"h\xc3\xb6"}',
    content_type="text/plain",
    status=201,
    variant="blue",
    request_id="abc",
    usage=TokenUsage(prompt=3, completion=5, estimated=True, requests=1),
    timings=Timings(wire=12.5, first_token=3.25, inter_token=0.5),
    told=(("customAttributes", "tier=gold"),),
)


class Notices(list[str]):
    """What the user was told."""

    def __call__(self, message: str) -> None:
        self.append(message)


@pytest.fixture
def notices() -> Notices:
    return Notices()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "sageval"


def opened(folder: Path, notices: Notices, filesystem: str | None = "ext4") -> CacheStore:
    return CacheStore(folder, notices, filesystem=lambda _: filesystem)


def changed(path: Path, statement: str) -> None:
    """Changes a closed cache behind its back."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


def asked(path: Path, statement: str) -> object:
    connection = sqlite3.connect(path)
    value: object = connection.execute(statement).fetchone()[0]
    connection.close()
    return value


def test_an_answer_comes_back_in_the_next_run_as_it_was(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        store.put("key", ANSWER)
    with opened(folder, notices) as store:
        assert store.get("key") == ANSWER
        assert store.get("other") is None
    assert notices == []


def test_an_answer_without_usage_comes_back_without(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        store.put("key", Answer(b""))
    with opened(folder, notices) as store:
        assert store.get("key") == Answer(b"")


def test_an_answer_can_be_read_back_at_once(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        store.put("key", ANSWER)
        assert store.get("key") == ANSWER


def test_of_two_answers_the_later_stays(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        store.put("key", ANSWER)
        store.put("key", Answer(b"later"))
    with opened(folder, notices) as store:
        assert store.get("key") == Answer(b"later")
        store.put("key", Answer(b"latest"))
    with opened(folder, notices) as store:
        assert store.get("key") == Answer(b"latest")


def test_answers_reach_the_disk_while_the_run_goes_on(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store, opened(folder, notices) as other:
        store.put("key", ANSWER)
        deadline = time.monotonic() + 30
        while other.get("key") is None and time.monotonic() < deadline:
            pass
        assert other.get("key") == ANSWER


def test_closing_brings_all_answers_to_disk(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        for number in range(2500):
            store.put(str(number), Answer(b"%d" % number))
    with opened(folder, notices) as store:
        assert all(store.get(str(number)) == Answer(b"%d" % number) for number in range(2500))


def test_a_closed_store_finds_and_keeps_nothing(folder: Path, notices: Notices) -> None:
    store = opened(folder, notices)
    store.put("key", ANSWER)
    store.close()
    store.close()
    store.put("late", ANSWER)
    assert store.get("key") is None
    with opened(folder, notices) as store:
        assert store.get("late") is None
    assert notices == []


def test_the_folder_is_the_users_alone(folder: Path, notices: Notices) -> None:
    opened(folder, notices).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_every_file_is_the_users_alone(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        store.put("key", ANSWER)
        names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {"answers.sqlite3", "answers.sqlite3-wal", "answers.sqlite3-shm", "answers.lock"} <= names.keys()
    assert set(names.values()) == {0o600}


def test_with_an_answer_goes_what_its_key_is_made_of_and_which_run_asked(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        store.run_id = "eval-1"
        store.put("key", ANSWER, Origin.of(Request("llama", b"hi", repeat=2)))
    endpoint, origin = (
        asked(store.path, "SELECT endpoint FROM answers"),
        asked(store.path, "SELECT origin FROM answers"),
    )
    told = Origin.read(str(endpoint), str(origin))
    assert (told.endpoint, told.repeat, told.run) == ("llama", 2, "eval-1")


def test_the_day_of_the_last_use_is_kept(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        for number in range(1200):
            store.put(str(number), ANSWER)
    changed(store.path, "UPDATE answers SET used = 7")
    with opened(folder, notices) as store:
        assert all(store.get(str(number)) for number in range(1100))
    assert asked(store.path, "SELECT count(*) FROM answers WHERE used > 7") == 1100


def test_how_often_the_answer_was_there_is_counted_over_runs(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        store.put("key", ANSWER)
    for key in ("key", "key", "other"):
        with opened(folder, notices) as store:
            store.get(key)
    assert asked(store.path, "SELECT value FROM facts WHERE name = 'hits'") == 2
    assert asked(store.path, "SELECT value FROM facts WHERE name = 'lookups'") == 3


def test_a_fingerprint_is_known_at_once_and_in_the_next_run(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        assert store.last_known("e") is None
        for fingerprint in ("first", "second", "second"):
            store.remember("e", fingerprint)
            assert store.last_known("e") == fingerprint
    with opened(folder, notices) as store:
        assert store.last_known("e") == "second"
        assert store.last_known("f") is None
    store.remember("e", "third")
    assert store.last_known("e") is None


def test_answers_that_are_too_old_are_not_given(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        for key in ("old", "young"):
            store.put(key, ANSWER)
    changed(store.path, "UPDATE answers SET created = created - 90 WHERE key = 'old'")
    changed(store.path, "DELETE FROM facts")
    with CacheStore(folder, notices, limits=Limits(max_age_s=60)) as store:
        assert store.get("old") is None
        assert store.get("young") == ANSWER
    assert asked(store.path, "SELECT count(*) FROM answers") == 1
    [notice] = notices
    assert "1 of its answers" in notice


def test_on_closing_the_size_is_brought_below_its_limit_once_a_day(folder: Path, notices: Notices) -> None:
    limits = Limits(max_bytes=1_000_000)
    opened(folder, notices).close()
    changed(folder / "answers.sqlite3", "DELETE FROM facts")
    with CacheStore(folder, notices, limits=limits) as store:
        for number in range(3000):
            store.put(str(number), Answer(b"x" * 1000))
    left = asked(store.path, "SELECT count(*) FROM answers")
    assert isinstance(left, int)
    assert 0 < left < 900
    assert len(notices) == 1
    with CacheStore(folder, notices, limits=limits) as store:
        for number in range(3000):
            store.put(str(number), Answer(b"x" * 1000))
    assert asked(store.path, "SELECT count(*) FROM answers") == 3000
    assert len(notices) == 1


def test_the_database_has_large_pages_and_a_write_ahead_log(folder: Path, notices: Notices) -> None:
    opened(folder, notices).close()
    path = folder / "answers.sqlite3"
    assert (asked(path, "PRAGMA page_size"), asked(path, "PRAGMA journal_mode")) == (16384, "wal")


def test_on_a_network_file_system_there_is_no_write_ahead_log(folder: Path, notices: Notices) -> None:
    with opened(folder, notices, "nfs4") as store:
        store.put("key", ANSWER)
    assert asked(folder / "answers.sqlite3", "PRAGMA journal_mode") == "delete"
    [notice] = notices
    assert str(folder) in notice
    assert "(nfs4)" in notice
    with opened(folder, notices, "nfs4") as store:
        assert store.get("key") == ANSWER


def test_what_is_no_database_is_moved_aside_and_begun_anew(folder: Path, notices: Notices) -> None:
    folder.mkdir(parents=True)
    path = folder / "answers.sqlite3"
    for number in (1, 2):
        path.write_text("scribbled " * 1000)
        with opened(folder, notices) as store:
            store.put("key", ANSWER)
            assert store.get("key") == ANSWER
        aside = folder / f"answers.sqlite3.damaged-{number}"
        assert aside.read_text().startswith("scribbled")
        assert len(notices) == number
        assert f"`{path}` was damaged" in notices[-1]
        assert f"`{aside}`" in notices[-1]
    with opened(folder, notices) as store:
        assert store.get("key") == ANSWER


def test_a_broken_page_ends_the_use_of_the_cache_and_the_next_run_begins_anew(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        for number in range(200):
            store.put(str(number), Answer(b"x" * 1000))
    path = store.path
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(16384)
        file.write(b"\xff" * (size - 16384))
    with opened(folder, notices) as store:
        assert [store.get(str(number)) for number in range(200)] == [None] * 200
        store.put("key", ANSWER)
        assert store.get("key") is None
    [notice] = notices
    assert f"`{path}` cannot be used" in notice
    assert (folder / "answers.sqlite3.damaged-1").stat().st_size == size
    with opened(folder, notices) as store:
        store.put("key", ANSWER)
        assert store.get("key") == ANSWER
    assert len(notices) == 1


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE answers SET body = x'00'",
        "UPDATE answers SET meta = '{'",
        "UPDATE answers SET meta = '{}'",
        "UPDATE answers SET meta = '7'",
        "UPDATE answers SET meta = CAST(x'ff' AS TEXT)",
    ],
)
def test_an_answer_that_is_not_as_it_was_stored_is_never_given(folder: Path, notices: Notices, damage: str) -> None:
    with opened(folder, notices) as store:
        store.put("key", ANSWER)
    changed(store.path, damage)
    with opened(folder, notices) as store:
        assert store.get("key") is None
    assert len(notices) == 1
    assert not store.path.exists()


@pytest.mark.parametrize("statement", ["PRAGMA user_version = 7", "CREATE TABLE songs (name TEXT)"])
def test_a_database_of_another_make_is_left_alone(folder: Path, notices: Notices, statement: str) -> None:
    folder.mkdir(parents=True)
    changed(folder / "answers.sqlite3", statement)
    with opened(folder, notices) as store:
        store.put("key", ANSWER)
        assert store.get("key") is None
    [notice] = notices
    assert f"`{store.path}` cannot be used (schema version" in notice
    assert store.path.exists()
    assert not list(folder.glob("*damaged*"))


def test_a_folder_that_cannot_be_made_means_no_cache(tmp_path: Path, notices: Notices) -> None:
    (tmp_path / "file").write_text("")
    with opened(tmp_path / "file" / "cache", notices) as store:
        store.put("key", ANSWER)
        assert store.get("key") is None
    [notice] = notices
    assert str(store.path) in notice


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database that is full after a few pages."""
    connect = cache_database.connect

    def connect_small(path: Path, journal_mode: str) -> sqlite3.Connection:
        connection = connect(path, journal_mode)
        connection.execute("PRAGMA max_page_count = 8")
        return connection

    monkeypatch.setattr(cache_database, "connect", connect_small)
    yield


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_said_once_and_holds_up_nobody(folder: Path, notices: Notices) -> None:
    with opened(folder, notices) as store:
        for number in range(3000):
            store.put(str(number), Answer(b"x" * 2000))
    [notice] = notices
    assert f"`{store.path}` cannot be used (database or disk is full)" in notice
    assert store.path.exists()


PROCESS = """
import sys
from pathlib import Path
from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.model import Answer

print("ready", flush=True)
sys.stdin.readline()
with CacheStore(Path(sys.argv[1]), print) as store:
    for number in range(300):
        store.put(f"{sys.argv[2]}:{number}", Answer(sys.argv[2].encode() * 500))
        store.get(f"0:{number}")
"""


def said_by_four_processes_at_once(folder: Path) -> list[str]:
    """The notices of four processes that open the cache at the same moment and store 300 answers each."""
    pipe = subprocess.PIPE
    commands = ([sys.executable, "-c", PROCESS, str(folder), str(name)] for name in range(4))
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for command in commands]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [line for process in processes for line in process.communicate()[0].splitlines()]


@pytest.mark.parametrize("damaged", [False, True])
def test_four_processes_at_once_lose_nothing(folder: Path, notices: Notices, damaged: bool) -> None:
    if damaged:
        folder.mkdir(parents=True)
        (folder / "answers.sqlite3").write_text("scribbled " * 1000)
    said = said_by_four_processes_at_once(folder)
    assert len(said) == damaged
    with opened(folder, notices) as store:
        for name in range(4):
            for number in range(300):
                assert store.get(f"{name}:{number}") == Answer(str(name).encode() * 500)
    assert notices == []

import concurrent.futures
import contextlib
import http.client
import json
import socket
import stat
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from tests.witness.worlds import NAME, SCRIPT, Log, key_in, make_witness, on_a_loop, process, serving

from holdfast.clock import SetClock
from holdfast.witness import cosignature, protocol
from holdfast.witness.server import web
from holdfast.witness.server.commands import main
from holdfast.witness.server.store import Store

LOG = Log().grown(9)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def exit_code(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_witness(tmp_path / "w", SetClock(), LOG)
    return tmp_path / "w"


def test_from_init_to_status_by_the_commands_alone(tmp_path: Path) -> None:
    here = ("--dir", str(tmp_path / "w"))
    made = run(*here, "init", "--name", NAME)
    assert made.returncode == 0
    key = cosignature.parse_vkey(made.stdout.strip())
    assert key.name == NAME
    modes = {item.name: stat.S_IMODE(item.stat().st_mode) for item in (tmp_path / "w").iterdir()}
    assert modes["witness.pem"] == 0o600
    assert stat.S_IMODE((tmp_path / "w").stat().st_mode) == 0o700
    vkey_file = tmp_path / "ledger.vkey"
    vkey_file.write_text(LOG.key.to_text() + "\n", "utf-8")
    assert "watching gw.example.com" in run(*here, "add-log", "--vkey", str(vkey_file)).stdout
    assert "already watching" in run(*here, "add-log", "--vkey", LOG.key.to_text()).stdout
    with process(tmp_path / "w") as (child, served):
        assert served.post(LOG.submission(0))[0] == 200
        assert served.post(Log().grown(9, "rewritten").submission(9))[0] == 422
        status = run(*here, "status", "--json")  # also while it serves
        assert run(*here, "serve").returncode == 2  # but not twice
    assert child.returncode == 0
    facts = json.loads(status.stdout)
    assert status.returncode == 1  # a fork is there to be seen
    assert facts["vkey"] == key.to_text()
    assert [(log["origin"], log["size"]) for log in facts["logs"]] == [(LOG.origin, 9)]
    (fork,) = facts["evidence"]
    assert (fork["kind"], fork["cosigned"].encode()) == ("fork", LOG.checkpoint())
    text = run(*here, "status").stdout
    assert "TWO TREES OF ONE SIZE" in text
    assert fork["submitted"] in text


def test_a_second_init_does_not_replace_the_key(folder: Path) -> None:
    before = (folder / "witness.pem").read_bytes()
    assert exit_code("--dir", str(folder), "init", "--name", NAME) == 2
    assert (folder / "witness.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["init", "--name", "two words"], 2),
        (["add-log", "--vkey", "nonsense"], 2),
        (["status"], 2),
        (["serve"], 2),
        (["serve", "--listen", "nowhere"], 3),
        (["serve", "--listen", "127.0.0.1:70000"], 3),
        ([], 3),
    ],
)
def test_what_cannot_be_done_has_its_exit_code_and_says_why(
    tmp_path: Path, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("--dir", str(tmp_path / "nothing"), *arguments) == code
    assert capsys.readouterr().err


def test_a_key_that_others_can_read_is_not_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "witness.pem").chmod(0o644)
    assert exit_code("--dir", str(folder), "serve", "--listen", "127.0.0.1:0") == 2
    assert "chmod 600" in capsys.readouterr().err


def test_a_vkey_that_is_not_the_key_s_is_not_served(folder: Path) -> None:
    other = cosignature.CosignerKey(NAME, LOG.key.public)
    (folder / "witness.vkey").write_text(other.to_text() + "\n", "utf-8")
    assert exit_code("--dir", str(folder), "serve", "--listen", "127.0.0.1:0") == 2


def test_over_http_each_answer_has_its_status_and_type(folder: Path) -> None:
    judge = make_witness(folder, SetClock())
    with serving(judge, key_in(folder)) as served:
        assert served.post(LOG.submission(3)) == (409, protocol.SIZE_TYPE, b"0\n")
        status, kind, body = served.post(LOG.submission(0))
        assert (status, kind) == (200, "text/plain; charset=utf-8")
        assert body.startswith("— ".encode())
        assert served.get(f"/{protocol.origin_hash_hex(LOG.origin)}/checkpoint")[2] == LOG.checkpoint() + body
        assert served.get(f"/{protocol.origin_hash_hex('another')}/checkpoint")[0] == 404
        assert served.get(protocol.PATH)[0] == 405
        assert served.get("/")[0] == 404
        assert served.post(b"", "/other")[0] == 404
        assert served.post(b"nonsense")[0] == 400


def test_a_body_beyond_the_limit_is_not_read(folder: Path) -> None:
    with process(folder) as (_, served):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(served.url).netloc, timeout=10)
        with contextlib.closing(connection):
            connection.putrequest("POST", protocol.PATH)
            connection.putheader("Content-Length", str(protocol.REQUEST_BYTES_MAX + 1))
            connection.endheaders()
            assert connection.getresponse().status == 400
        assert served.post(LOG.submission(0))[0] == 200


def test_of_two_histories_submitted_at_once_one_wins_and_only_one(folder: Path) -> None:
    first, fork = Log().grown(3), Log().grown(3).grown(9, "rewritten")
    with process(folder) as (_, served), concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert served.post(first.submission(0))[0] == 200
        bodies = [LOG.submission(3), fork.submission(3)] * 8
        answers = list(pool.map(served.post, bodies))
        statuses = [status for status, *_ in answers]
        assert statuses.count(200) == 1
        assert {status for status in statuses if status != 200} == {409}
        winner = (LOG, fork)[statuses.index(200) % 2]
        held = served.get(f"/{protocol.origin_hash_hex(LOG.origin)}/checkpoint")[2]
        assert held.startswith(winner.checkpoint())
    store = Store.read(folder)
    assert [one.kind for one in store.evidence()] == ["fork"]  # the loser's tree, kept once
    store.close()


def test_killed_between_persisting_and_answering_the_witness_remembers(folder: Path) -> None:
    dying = (sys.executable, "-m", "tests.witness.dying", str(folder))
    with process(folder, *dying) as (child, served):
        with pytest.raises((ConnectionError, OSError)):
            served.post(LOG.submission(0, 5))
        assert child.wait(10) == -9
    with process(folder) as (_, served):
        # It will not cosign another history of that size, although nobody has seen what it signed.
        assert served.post(LOG.submission(0, 5)) == (409, protocol.SIZE_TYPE, b"5\n")
        assert served.post(Log().grown(5, "rewritten").submission(5))[0] == 422
        assert served.post(LOG.submission(5, 5))[0] == 200
        assert served.post(LOG.submission(5))[0] == 200


def test_whoever_comes_when_too_many_are_connected_is_hung_up_on_and_the_rest_is_served(tmp_path: Path) -> None:
    judge = make_witness(tmp_path / "w", SetClock(), LOG)
    with contextlib.ExitStack() as after, on_a_loop(lambda: web.Server(web.application(judge))) as url:

        def connected() -> socket.socket:
            host = urllib.parse.urlsplit(url)
            return after.enter_context(socket.create_connection((host.hostname or "", host.port or 0), timeout=10))

        first, *_ = [connected() for _ in range(web.CONNECTIONS_MAX)]
        assert connected().recv(1) == b""
        first.sendall(b"GET / HTTP/1.1\r\nHost: w\r\n\r\n")
        assert first.recv(12) == b"HTTP/1.1 404"

import contextlib
import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.ledger.ledgers import open_ledger
from tests.witness.authority import OPENSSL, Authority, needs_openssl, now, stamping
from tests.witness.worlds import path

from holdfast.clock import SetClock, SystemClock
from holdfast.errors import LedgerError
from holdfast.ledger.reader import open_reader
from holdfast.witness import store, submit, timestamp
from holdfast.witness.rules import TimestampRule, WitnessRules
from holdfast.witness.watch import Watch

pytestmark = needs_openssl
MESSAGE = b"gw.example.com/ledger/n1\n5\nroot\n\nsignature\n"

type Check = Callable[[bytes, bytes, bytes], dt.datetime]


def by_program(token: bytes, message: bytes, roots_pem: bytes) -> dt.datetime:
    return timestamp.check_with_openssl(str(OPENSSL), token, message, roots_pem)


CHECKS = pytest.mark.parametrize("check", [timestamp.check, by_program], ids=["rfc3161-client", "openssl"])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "good")


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return authority.reply(timestamp.request(MESSAGE)[0])


@CHECKS
def test_a_token_over_these_bytes_says_when_they_were_there(check: Check, authority: Authority, token: bytes) -> None:
    at = check(token, MESSAGE, authority.roots_pem)
    assert at.utcoffset() == dt.timedelta(0)
    assert abs((now() - at).total_seconds()) < 300


def test_both_ways_of_checking_read_the_same_time(authority: Authority, token: bytes) -> None:
    first, second = (check(token, MESSAGE, authority.roots_pem) for check in (timestamp.check, by_program))
    assert first.replace(microsecond=0) == second


@CHECKS
def test_a_token_over_other_bytes_does_not_hold(check: Check, authority: Authority, token: bytes) -> None:
    with pytest.raises(LedgerError, match="does not hold"):
        check(token, MESSAGE + b".", authority.roots_pem)


@CHECKS
def test_a_token_under_another_root_does_not_hold(check: Check, tmp_path: Path, token: bytes) -> None:
    with pytest.raises(LedgerError, match="does not hold"):
        check(token, MESSAGE, Authority(tmp_path / "other").roots_pem)


@CHECKS
def test_a_token_by_a_signer_whose_certificate_had_ended_does_not_hold(check: Check, tmp_path: Path) -> None:
    expired = Authority(tmp_path / "expired", now() - dt.timedelta(days=1))
    old = expired.reply(timestamp.request(MESSAGE)[0])
    with pytest.raises(LedgerError, match="does not hold"):
        check(old, MESSAGE, expired.roots_pem)


@CHECKS
def test_any_changed_byte_of_a_token_is_found(check: Check, authority: Authority, token: bytes) -> None:
    step = 7 if check is timestamp.check else 97
    for position in range(0, len(token), step):
        changed = bytearray(token)
        changed[position] ^= 0x01
        try:
            at = check(bytes(changed), MESSAGE, authority.roots_pem)
        except LedgerError:
            continue
        # What is not signed may change (a certificate's own bytes are checked by the chain): the time may not.
        assert at == check(token, MESSAGE, authority.roots_pem), position


@CHECKS
@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x30\x03\x02\x01\x02"])
def test_what_is_no_token_does_not_hold(check: Check, authority: Authority, data: bytes) -> None:
    with pytest.raises(LedgerError, match="does not hold"):
        check(data, MESSAGE, authority.roots_pem)


def test_a_token_of_another_request_is_an_old_one(authority: Authority, token: bytes) -> None:
    _, nonce = timestamp.request(MESSAGE)
    with pytest.raises(LedgerError, match="Nonce"):
        timestamp.check(token, MESSAGE, authority.roots_pem, nonce)


def test_a_token_beyond_the_limit_is_not_looked_at(authority: Authority) -> None:
    with pytest.raises(LedgerError, match="more than"):
        timestamp.check(bytes(timestamp.TOKEN_BYTES_MAX + 1), MESSAGE, authority.roots_pem)


PROGRAM = """#!/bin/sh
case "$*" in
  *-reply*) echo "Time stamp: Nov  2 18:00:00.5 2026 GMT" ;;
  *"-attime 1793642400"*) exit 0 ;;
  *) exit 1 ;;
esac
"""


def test_openssl_is_asked_as_of_the_time_stamped_so_that_a_certificate_may_end_afterwards(tmp_path: Path) -> None:
    program = tmp_path / "openssl"
    program.write_text(PROGRAM, "ascii")
    program.chmod(0o700)
    at = timestamp.check_with_openssl(str(program), b"token", MESSAGE, b"roots")
    assert at == dt.datetime(2026, 11, 2, 18, tzinfo=dt.UTC)


ALONE = """
import sys
sys.modules["rfc3161_client"] = None  # an import of it fails
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "rfc3161_client" else real(name, *rest)
from pathlib import Path
from holdfast.witness import timestamp
folder = Path(sys.argv[1])
try:
    print(timestamp.check(*((folder / name).read_bytes() for name in ("token", "message", "roots"))).isoformat())
except timestamp.NotCheckedError as error:
    print("not checked:", error)
print(sorted({name.split(".")[0] for name in sys.modules} & {"cryptography", "yaml", "tornado", "sqlite_utils"}))
"""


@pytest.mark.parametrize("has_openssl", [True, False])
def test_without_the_library_openssl_checks_and_without_both_it_says_so(
    tmp_path: Path, authority: Authority, token: bytes, *, has_openssl: bool
) -> None:
    for name, data in {"token": token, "message": MESSAGE, "roots": authority.roots_pem}.items():
        (tmp_path / name).write_bytes(data)
    where = str(Path(str(OPENSSL)).parent) if has_openssl else str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": path(), "PATH": where},
    )
    said, modules = done.stdout.splitlines()
    expected = by_program(token, MESSAGE, authority.roots_pem).isoformat() if has_openssl else "not checked: checking"
    assert said.startswith(expected)
    assert modules == "[]"  # what a verifier needs is the standard library


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "data").mkdir()
    with contextlib.closing(open_ledger(tmp_path / "data")):
        yield tmp_path / "data"


def ask(data: Path, url: str, roots_pem: bytes) -> submit.Vouched:
    rule = TimestampRule("tsa", url, "roots.pem", roots_pem=roots_pem)
    with store.open_outside(data, read_only=False) as outside:
        return submit.submit(rule, data, outside, SystemClock())


def test_a_stamp_over_the_newest_checkpoint_is_kept_and_can_be_checked_again(data: Path, authority: Authority) -> None:
    with stamping(authority.reply) as url:
        vouched = ask(data, url, authority.roots_pem)
    with store.open_outside(data) as outside, open_reader(data) as reader:
        (stamp,) = outside.timestamps()
        checkpoint = reader.last_checkpoint()
    assert checkpoint is not None
    assert (stamp.size, stamp.root_hex, stamp.name, stamp.at) == (vouched.size, vouched.root_hex, "tsa", vouched.at)
    assert timestamp.check(stamp.token, checkpoint, authority.roots_pem) == stamp.at


def test_a_stamp_that_does_not_verify_is_not_kept(
    data: Path, authority: Authority, token: bytes, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    for reply in (lambda _: token, lambda _: b"", lambda _: b"nonsense", other.reply):
        with stamping(reply) as url, pytest.raises(submit.NotVouchedError) as error:
            ask(data, url, authority.roots_pem)
        assert error.value.cause == "invalid"
    with store.open_outside(data) as outside:
        assert outside.timestamps() == []


class MovedClock(SetClock):
    """The machine's wall clock, and a monotonic one that the test moves."""

    def now_at(self) -> dt.datetime:
        return now()


def test_the_watch_asks_for_a_stamp_when_its_turn_comes_and_not_before(tmp_path: Path, authority: Authority) -> None:
    asked: list[bytes] = []

    def reply(query: bytes) -> bytes:
        asked.append(query)
        return authority.reply(query)

    (tmp_path / "data").mkdir()
    clock = MovedClock()
    ledger = open_ledger(tmp_path / "data", clock)
    with stamping(reply) as url, contextlib.closing(ledger):
        rule = TimestampRule("tsa", url, "roots.pem", roots_pem=authority.roots_pem)
        watch = Watch(ledger, tmp_path / "data", lambda: WitnessRules(timestamps=(rule,), refuse_after_s=600), clock)
        assert "has not come yet" in str(watch.refusal())
        for _ in range(3):
            watch.round()
        assert len(asked) == 1
        assert watch.refusal() is None
        clock.ns += 3600 * 10**9
        watch.round()
        assert len(asked) == 2
        clock.ns += 4201 * 10**9
        assert "is 4201 s old" in str(watch.refusal())
        watch._outside.close()

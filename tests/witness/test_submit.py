"""Our client against our witness, over real HTTP: tests/foreign has both against those of others."""

import contextlib
import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import tornado.httpserver
import tornado.web
from tests.ledger.ledgers import heartbeat, keys_in, open_ledger
from tests.witness.worlds import (
    Log,
    Scripted,
    Served,
    key_in,
    make_witness,
    on_a_loop,
    opened,
    private_key,
    serving,
)

from holdfast.clock import SetClock
from holdfast.errors import LedgerError
from holdfast.ledger import note
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.witness import cosignature, protocol, sqlite, store, submit
from holdfast.witness.server.judge import Answer


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def ledger(data: Path, clock: SetClock) -> Iterator[Ledger]:
    with contextlib.closing(open_ledger(data, clock)) as ledger:
        yield ledger


@pytest.fixture
def outside(data: Path) -> Iterator[store.Outside]:
    with store.open_outside(data, read_only=False) as outside:
        yield outside


@pytest.fixture
def served(ledger: Ledger, data: Path, tmp_path: Path, clock: SetClock) -> Iterator[Served]:
    log = Log(ledger.head().note.split("\n")[0])
    judge = make_witness(tmp_path / "w", clock, log)
    opened(tmp_path / "w").add_log(log.origin, keys_in(data).verifier, clock.now_at())
    with serving(judge, key_in(tmp_path / "w")) as served:
        yield served


def grow(ledger: Ledger, count: int) -> int:
    for number in range(count):
        ledger.append_blocking(heartbeat(number))
    return ledger.publish_blocking().size


def test_a_witness_vouches_for_the_newest_checkpoint_again_and_again(
    served: Served, ledger: Ledger, data: Path, outside: store.Outside, clock: SetClock
) -> None:
    size = 0
    for count in (3, 300, 0, 1):
        size = grow(ledger, count)
        clock.advance(60)
        vouched = submit.submit(served.rule(), data, outside, clock)
        assert (vouched.size, vouched.root_hex, vouched.at) == (size, ledger.head().root.hex(), clock.now_at())
    assert outside.cosigned_sizes()[-1] == size


def test_what_is_kept_verifies_beside_the_ledger_s_own_checkpoint(
    served: Served, ledger: Ledger, data: Path, outside: store.Outside, clock: SetClock
) -> None:
    size = grow(ledger, 5)
    submit.submit(served.rule(), data, outside, clock)
    rules = served.rules()
    with open_reader(data) as reader, store.open_outside(data) as kept:
        checkpoint = reader.last_checkpoint()
        assert checkpoint is not None
        whole = protocol.with_signatures(checkpoint, kept.cosignatures(size))
    policy = rules.policy(keys_in(data).verifier)
    assert policy.open_checkpoint(whole).size == size
    (cosigned,) = policy.cosigners(whole)
    assert (cosigned.name, cosigned.at) == ("audit", clock.now_at())
    assert policy.is_met([cosigned])
    assert not policy.is_met(policy.cosigners(checkpoint))


def test_a_client_that_forgot_learns_from_the_witness_where_to_go_on(
    served: Served, ledger: Ledger, data: Path, outside: store.Outside, clock: SetClock
) -> None:
    grow(ledger, 5)
    submit.submit(served.rule(), data, outside, clock)
    grow(ledger, 5)
    with contextlib.closing(store.Outside(sqlite.empty(store._SQL))) as forgotten:
        assert submit.submit(served.rule(), data, forgotten, clock).size == ledger.head().size


def test_a_witness_that_forgot_vouches_anew_and_the_log_says_so(
    served: Served,
    ledger: Ledger,
    data: Path,
    outside: store.Outside,
    clock: SetClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    size = grow(ledger, 5)
    line = b"\xe2\x80\x94 not checked here\n"
    key = served.key.to_text()
    outside.add_cosignature(store.Cosignature(size - 2, "00", "audit", key, line, clock.now_at()), clock.now_at())
    assert submit.submit(served.rule(), data, outside, clock).size == size
    assert f"forgot: it knew {size - 2} Records and now 0" in caplog.text


def test_a_ledger_that_was_cut_short_and_signed_anew_is_a_conflict(
    served: Served, ledger: Ledger, data: Path, outside: store.Outside, clock: SetClock, tmp_path: Path
) -> None:
    grow(ledger, 5)
    ledger.close()
    shutil.copytree(data, tmp_path / "backup")
    with contextlib.closing(open_ledger(data, clock)) as longer:
        grow(longer, 5)
        submit.submit(served.rule(), data, outside, clock)
    # The same key goes on from the backup, and says something else in the same places.
    with contextlib.closing(open_ledger(tmp_path / "backup", clock)) as shorter:
        with pytest.raises(submit.NotVouchedError, match="has cosigned") as error:
            submit.submit(served.rule(), tmp_path / "backup", outside, clock)
        assert error.value.cause == "conflict"
        grow(shorter, 20)
        with pytest.raises(submit.NotVouchedError, match="another history") as error:
            submit.submit(served.rule(), tmp_path / "backup", outside, clock)
        assert error.value.cause == "conflict"


ANSWERS = [
    (Answer(403, b"x"), "refused", "does not accept the ledger's key"),
    (Answer(404, b"x"), "refused", "does not watch this ledger"),
    (Answer(500, b"x"), "unreachable", "HTTP 500"),
    (Answer(302, b"x"), "refused", "HTTP 302"),
    (Answer(422, b"x"), "conflict", "another history"),
    (Answer(409, b"x", protocol.SIZE_TYPE), "invalid", "without the size"),
    (Answer(409, b"0\n", protocol.SIZE_TYPE), "conflict", "another tree of 0 Records"),
    (Answer(409, b"1000\n", protocol.SIZE_TYPE), "conflict", "has cosigned 1000 Records"),
    (Answer(200, b""), "invalid", "no cosignature"),
    (Answer(200, b"hello\n"), "invalid", "no cosignature"),
    (Answer(200, b"x" * (protocol.ANSWER_BYTES_MAX + 1)), "unreachable", "more than"),
]


@pytest.mark.parametrize(("answer", "cause", "words"), ANSWERS, ids=lambda value: None)
def test_every_other_answer_has_its_cause_and_nothing_is_kept(
    ledger: Ledger, data: Path, outside: store.Outside, clock: SetClock, answer: Answer, cause: str, words: str
) -> None:
    grow(ledger, 5)
    key = cosignature.CosignerKey("w", private_key("w").public_key().public_bytes_raw())
    with serving(Scripted(answer), key) as served, pytest.raises(submit.NotVouchedError, match=words) as error:
        submit.submit(served.rule(), data, outside, clock)
    assert error.value.cause == cause
    assert outside.cosigned_sizes() == []


@pytest.mark.parametrize(
    ("word", "seconds", "size", "words"),
    [
        ("w", 0, None, None),
        ("other", 0, None, "without a cosignature by the key"),
        ("w", 0, 1, "does not hold"),
        ("w", 3600, None, "vouches for a time 3600 s from"),
        ("w", -3600, None, "vouches for a time 3600 s from"),
    ],
)
def test_a_cosignature_is_kept_only_if_it_is_by_that_witness_over_that_checkpoint_and_of_now(
    ledger: Ledger,
    data: Path,
    outside: store.Outside,
    clock: SetClock,
    word: str,
    seconds: int,
    size: int | None,
    words: str | None,
) -> None:
    grow(ledger, 5)
    private, signer = private_key("w"), private_key(word)
    key = cosignature.CosignerKey("w", private.public_key().public_bytes_raw())
    text = note.parse_note(ledger.head().note.encode()).text
    if size is not None:
        text = text.replace(f"\n{ledger.head().size}\n", f"\n{size}\n")
    by = cosignature.CosignerKey("w", signer.public_key().public_bytes_raw())
    line = cosignature.sign(text, by, clock.now_at() + dt.timedelta(seconds=seconds), signer.sign)
    with serving(Scripted(Answer(200, line.to_line().encode())), key) as served:
        if words is None:
            assert submit.submit(served.rule(), data, outside, clock).size == ledger.head().size
        else:
            with pytest.raises(submit.NotVouchedError, match=words):
                submit.submit(served.rule(), data, outside, clock)
    assert len(outside.cosigned_sizes()) == (words is None)


def test_nobody_listening_is_unreachable(ledger: Ledger, data: Path, outside: store.Outside, clock: SetClock) -> None:
    key = cosignature.CosignerKey("w", private_key("w").public_key().public_bytes_raw())
    with pytest.raises(submit.NotVouchedError, match="ConnectionRefusedError") as error:
        submit.submit(Served("http://127.0.0.1:1", key).rule(), data, outside, clock)
    assert error.value.cause == "unreachable"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    ledger: Ledger, data: Path, outside: store.Outside, clock: SetClock, status: int
) -> None:
    class Elsewhere(tornado.web.RequestHandler):
        def post(self) -> None:
            asked.append(self.request.path)
            self.redirect("/elsewhere", status=status)

        def get(self) -> None:
            asked.append(self.request.path)

    asked: list[str] = []
    app = tornado.web.Application([(r"/.*", Elsewhere)])
    key = cosignature.CosignerKey("w", private_key("w").public_key().public_bytes_raw())
    serve = on_a_loop(lambda: tornado.httpserver.HTTPServer(app))
    with serve as url, pytest.raises(submit.NotVouchedError, match=f"HTTP {status}"):
        submit.submit(Served(url, key).rule(), data, outside, clock)
    assert asked == [protocol.PATH]


def test_submitting_now_tells_of_each_and_fails_for_none(
    served: Served, ledger: Ledger, data: Path, clock: SetClock, tmp_path: Path
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    other = cosignature.CosignerKey("w", private_key("w").public_key().public_bytes_raw())
    (rules / "witnesses.yaml").write_text(
        f"version: 1\nwitnesses:\n  - {{name: audit, url: '{served.url}', vkey: '{served.key.to_text()}'}}\n"
        f"  - {{name: gone, url: 'http://127.0.0.1:1', vkey: '{other.to_text()}'}}\n",
        "utf-8",
    )
    grow(ledger, 4)
    told = submit.submit_now(data, keys_in(data), rules, clock)
    assert [(one.name, one.vouched is not None) for one in told] == [("audit", True), ("gone", False)]
    assert told[0].line() == f"witness audit: vouches for {ledger.head().size} Records"
    assert "no answer" in told[1].line()
    (tmp_path / "foreign").mkdir()
    with pytest.raises(LedgerError):
        submit.submit_now(data, keys_in(tmp_path / "foreign"), rules, clock)
    (rules / "witnesses.yaml").unlink()
    assert submit.submit_now(data, None, rules, clock) == ()

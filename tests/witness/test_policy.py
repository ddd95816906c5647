import pytest
from tests.witness.worlds import Log, private_key

from holdfast.clock import SetClock
from holdfast.errors import LedgerError
from holdfast.ledger import note
from holdfast.witness import cosignature, policy

LOG = Log().grown(5)
CLOCK = SetClock()
PRIVATE = {name: private_key(name) for name in ("a", "b", "c", "d")}
KEYS = {
    name: cosignature.CosignerKey(f"{name}.example.com/w", key.public_key().public_bytes_raw())
    for name, key in PRIVATE.items()
}


def witnesses(*names: str) -> str:
    return "".join(f"witness {name} {KEYS[name].to_text()}\n" for name in names)


def parsed(text: str) -> policy.Policy:
    return policy.parse(text.encode())


def cosigned(*names: str, seconds: int = 0) -> bytes:
    text = LOG.checkpoint()
    body = text.decode().rpartition("\n\n")[0] + "\n"
    for name in names:
        CLOCK.advance(seconds)
        line = cosignature.sign(body, KEYS[name], CLOCK.now_at(), PRIVATE[name].sign)
        text += line.to_line().encode()
    return text


# The example of the specification, with keys: two of the x, and one of the y.
EXAMPLE = (
    f"log {LOG.key.to_text()} https://log.example.com/\n"
    + witnesses("a", "b", "c")
    + "group x 2 a b c\n"
    + witnesses("d")
    + "group y any d\ngroup both all x y\nquorum both\n"
)


@pytest.mark.parametrize(
    ("names", "is_met"),
    [("abd", True), ("abcd", True), ("bcd", True), ("abc", False), ("ad", False), ("d", False), ("", False)],
)
def test_the_example_of_the_specification_is_judged_as_it_says(names: str, *, is_met: bool) -> None:
    rules = parsed(EXAMPLE)
    found = rules.cosigners(cosigned(*names))
    assert [one.name for one in found] == list(names)
    assert rules.is_met(found) is is_met


def test_a_policy_is_read_back_as_it_was_written() -> None:
    rules = parsed(EXAMPLE)
    assert parsed(rules.to_text()) == rules
    assert rules.logs[0].url == "https://log.example.com/"


def test_white_space_empty_lines_and_comments_say_nothing() -> None:
    text = f"\n  # a comment\n\twitness \t a   {KEYS['a'].to_text()}\t\n\n   quorum \t a  \n"
    assert parsed(text) == parsed(witnesses("a") + "quorum a\n")


def test_quorum_none_asks_for_no_witness() -> None:
    rules = parsed("quorum none\n")
    assert rules.is_met(())


def test_a_single_witness_can_be_the_quorum() -> None:
    rules = parsed(witnesses("a", "b") + "quorum a\n")
    assert rules.is_met_by({"a"})
    assert not rules.is_met_by({"b"})


def test_names_are_bytes_that_need_not_be_utf8() -> None:
    line = witnesses("a").encode().replace(b"witness a", b"witness \xff\xe2\x84\xaa")
    rules = policy.parse(line + b"quorum \xff\xe2\x84\xaa\n")
    assert not rules.is_met_by({"\udcffK"})  # a Kelvin sign is no K
    assert rules.is_met_by({rules.witnesses[0].name})


@pytest.mark.parametrize(
    "text",
    [
        "",
        witnesses("a"),
        "quorum unknown\n",
        "quorum a\n" + witnesses("a"),
        witnesses("a") + "quorum a",
        witnesses("a") + "quorum a\nquorum a\n",
        witnesses("a") + "quorum a\nquorum none\n",
        witnesses("a") + witnesses("a") + "quorum a\n",
        witnesses("a") + witnesses("a").replace("witness a", "witness b") + "quorum a\n",
        witnesses("a") + "group a 1 a\nquorum a\n",
        witnesses("a") + "group g 0 a\nquorum g\n",
        witnesses("a") + "group g -1 a\nquorum g\n",
        witnesses("a") + "group g 2 a\nquorum g\n",
        witnesses("a") + "group g 01 a\nquorum g\n",
        witnesses("a") + "group g \u0661 a\nquorum g\n",
        witnesses("a") + "group g any\nquorum g\n",
        witnesses("a", "b") + "group g any a a\nquorum g\n",
        witnesses("a", "b") + "group g any a b\ngroup h any a\nquorum g\n",
        witnesses("a") + "group g any a none\nquorum g\n",
        witnesses("a") + "group g any g\nquorum g\n",
        witnesses("a").replace("witness a", "witness none") + "quorum none\n",
        witnesses("a") + "group none 1 a\nquorum none\n",
        f"witness a {LOG.key.to_text()}\nquorum a\n",
        f"log {KEYS['a'].to_text()}\nquorum none\n",
        f"log {LOG.key.to_text()}\nlog {LOG.key.to_text()}\nquorum none\n",
        f"log {LOG.key.to_text()} https://a https://b\nquorum none\n",
        witnesses("a") + "quorum a # for now\n",
        "quorum none\r\n",
        "quorum\x0bnone\n",
        "quorum\u00a0none\n",
        "quorum none\x7f\n",
        "Quorum none\n",
        "keep none\nquorum none\n",
    ],
)
def test_what_breaks_a_rule_of_the_format_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        parsed(text)


def test_an_error_names_the_line() -> None:
    with pytest.raises(LedgerError, match="line 2: the quorum is a name that is not defined above"):
        parsed(witnesses("a") + "quorum b\n")


def test_a_checkpoint_must_be_of_a_log_that_is_listed() -> None:
    rules = parsed(EXAMPLE)
    assert rules.open_checkpoint(LOG.checkpoint()).size == 5
    other = Log(private=private_key("other")).grown(5)
    with pytest.raises(LedgerError, match="no known key"):
        rules.open_checkpoint(other.checkpoint())
    with pytest.raises(LedgerError):
        parsed("quorum none\n").open_checkpoint(LOG.checkpoint())


def test_the_key_of_one_log_does_not_vouch_for_another() -> None:
    mine, other = (
        Log(origin="a.example.com/log"),
        Log(origin="b.example.com/log", private=private_key("other")).grown(2),
    )
    rules = parsed(f"log {mine.key.to_text()}\nlog {other.key.to_text()}\nquorum none\n")
    text = other.checkpoint().decode().rpartition("\n\n")[0] + "\n"
    forged = note.sign_note(text, mine.key, mine.private.sign).to_text().encode()
    with pytest.raises(LedgerError, match="another log"):
        rules.open_checkpoint(forged)


def test_a_bad_line_under_a_known_key_spoils_the_whole() -> None:
    rules = parsed(EXAMPLE)
    lines = cosigned("a", "b", "d").replace(b"a.example.com/w ", b"b.example.com/w ")
    assert [one.name for one in rules.cosigners(lines)] == ["b", "d"]  # a's line is now of a key that nobody knows
    changed = cosigned("a").replace(b"\n5\n", b"\n6\n")
    with pytest.raises(LedgerError, match="does not hold"):
        rules.cosigners(changed)


def test_of_two_lines_by_one_witness_the_later_counts_and_counts_once() -> None:
    rules = parsed(witnesses("a", "b") + "group g 2 a b\nquorum g\n")
    found = rules.cosigners(cosigned("a", "a", seconds=60))
    assert [(one.name, one.at) for one in found] == [("a", CLOCK.now_at())]
    assert not rules.is_met(found)

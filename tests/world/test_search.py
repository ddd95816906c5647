"""The demo's search finds a planted value wherever it hides, so that finding none says something."""

import base64
import gzip
import io
import sqlite3
import zipfile
import zlib
from pathlib import Path

import pytest
from scripts.demo_world.people import CUSTOMERS, Customer, Planted, planted_values
from scripts.demo_world.rulebook import SHIPPED
from scripts.demo_world.search import Found, search

CARD = Planted("card", "4111 1111 1111 1111")
MAIL = Planted("e-mail", "mara.lindqvist@example.com")


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.bin", data)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"paid with 4111 1111 1111 1111 today",
        b"4111-1111-1111-1111",
        b'{"card":4111111111111111}',
        b"card=4111%201111%201111%201111",
        b"x" + base64.b64encode(b"a 4111 1111 1111 1111 b"),
        base64.b64encode(b"ab4111111111111111"),
        b"4111 1111 1111 1111".hex().encode(),
        gzip.compress(b"4111 1111 1111 1111", mtime=0),
        zlib.compress(b"4111 1111 1111 1111"),
        zipped(zipped(b"4111 1111 1111 1111")),
    ],
)
def test_a_card_is_found_in_every_spelling_and_wrapping(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "some.bin").write_bytes(data)
    assert {found.label for found in search([tmp_path], [CARD, MAIL]).found} == {"card"}


def test_a_card_is_found_in_a_database_cell_longer_than_a_page(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE t (a, b)")
    long = b"x" * 4080 + b"4111 1111 1111 1111" + b"x" * 9000
    db.execute("INSERT INTO t VALUES (?, ?)", (None, zlib.compress(long, 1)))
    db.execute("INSERT INTO t VALUES (?, ?)", (17, "mara.lindqvist@example.com"))
    db.commit()
    found = search([path], [CARD, MAIL]).found
    db.close()
    assert set(found) == {Found("card", f"{path}: table t: inflated"), Found("e-mail", f"{path}: table t")}


def test_a_value_in_a_log_that_is_not_yet_in_the_database_is_found(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE t (a)")
    db.execute("INSERT INTO t VALUES ('4111 1111 1111 1111')")
    db.execute("DELETE FROM t")
    found = search([tmp_path], [CARD]).found
    db.close()
    assert [Path(each.where).name for each in found] == ["a.db-wal"]


def test_capital_letters_hide_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("MARA.Lindqvist@Example.com", "utf-8")
    assert search([tmp_path], [MAIL]).found


def test_masked_text_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("<CREDIT_CARD> <EMAIL_ADDRESS> Mara Lindqvist ****1111", "utf-8")
    result = search([tmp_path], planted_values())
    assert (result.found, result.file_count) == ((), 1)


def test_what_is_found_is_named_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" ".join(value.text for value in planted_values()), "utf-8")
    found = search([tmp_path], planted_values()).found
    assert {each.label for each in found} == {value.label for value in planted_values()}
    assert not any(value.text in repr(each) for value in planted_values() for each in found)


def test_every_value_of_every_customer_is_planted() -> None:
    assert {value for customer in CUSTOMERS for value in customer.raw_values()} < {v.text for v in planted_values()}


def test_no_planted_value_stands_in_the_shipped_rules() -> None:
    assert search([SHIPPED], planted_values()).found == ()


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_cards_and_ibans_have_valid_check_digits(customer: Customer) -> None:
    digits = [int(digit) for digit in reversed(customer.card.replace(" ", ""))]
    doubled = [sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(digits)]
    assert sum(doubled) % 10 == 0
    iban = customer.iban.replace(" ", "")
    assert int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1

"""Dumps that are indented, quoted, part of a patch or of a log: read as their bytes, written again in their columns."""

import hashlib
import itertools
from collections.abc import Callable

import pytest

from holdfast.errors import MaskingError
from holdfast.masking.blobs import dumps_in
from holdfast.masking.budget import IN_PLACE, Budget
from holdfast.masking.masker import Masker

_WIDTH = 16


def dump(raw: bytes, before: str = "", sign: str = "") -> str:
    lines = []
    for at in range(0, len(raw), _WIDTH):
        part = raw[at : at + _WIDTH]
        pairs = " ".join(part[one : one + 2].hex() for one in range(0, len(part), 2))
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        lines.append(f"{before}{sign}{at:08x}: {pairs:<39}  {shown}")
    return "\n".join(lines)


def as_hexdump(raw: bytes, before: str = "") -> str:
    lines = []
    for at in range(0, len(raw), _WIDTH):
        part = raw[at : at + _WIDTH]
        left, right = (" ".join(f"{byte:02x}" for byte in half) for half in (part[:8], part[8:]))
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        lines.append(f"{before}{at:08x}  {left:<23}  {right:<23}  |{shown}|")
    return "\n".join(lines)


TEXT = b"Of Bob: the number\n234-45-6789 and more text of his\n"
BEFORES = [
    *("    ", "\t", "> ", "> > ", "+", " | ", "[debug] ", "net.in: ", "INFO net: "),
    *("2024-11-22 10:11:12.345 DEBUG net: ", "[2024-11-22T10:11:12Z] ", "Nov 22 10:11:12 app: "),
]


@pytest.mark.parametrize("before", BEFORES)
def test_a_dump_is_read_whatever_mark_or_time_stands_before_its_lines(masker: Masker, before: str) -> None:
    for write in (dump, as_hexdump):
        masked = masker.keep_text("Dump:\n" + write(TEXT, before))
        assert masked == "Dump:\n" + write(TEXT.replace(b"234-45-6789", b"<US_SSN>"), before)


def test_a_dump_of_packets_is_read(masker: Masker) -> None:
    masked = masker.keep_text(dump(TEXT, "\t", "0x"))
    assert masked == dump(TEXT.replace(b"234-45-6789", b"<US_SSN>"), "\t", "0x")


def test_lines_of_a_log_keep_their_times(masker: Masker) -> None:
    times = [f"2024-11-22 10:11:1{second} " for second in range(len(dump(TEXT).split("\n")))]
    lines = [time + line for time, line in zip(times, dump(TEXT).split("\n"), strict=True)]
    masked = masker.keep_text("\n".join(lines)).split("\n")
    assert [line[: len(times[0])] for line in masked] == times
    assert "234-45" not in str(masked)
    assert "3233 342d" not in str(masked)


def test_what_stands_before_a_dump_is_searched(masker: Masker) -> None:
    masked = masker.keep_text(dump(b"nothing in it at all, and nobody", "234-45-6789 "))
    assert "234-45-6789" not in masked


@pytest.mark.parametrize("text", [dump(b"plain text, and no value in it", before) for before in BEFORES])
def test_a_dump_with_nothing_in_it_stays_as_it_is(masker: Masker, text: str) -> None:
    assert masker.keep_text(text) == text


def test_a_long_text_that_may_be_dumps_is_gone_through_once(masker: Masker) -> None:
    for text in ("ab cd " * 60_000, "\n".join(["dead beef fade " * 8] * 3_000), (" " * 31 + "abcd ab ab\n") * 8_000):
        assert masker.keep_json(text) == text


def bare(raw: bytes, before: str = "", mark: str = " ", group: int = 1, width: int = 16) -> str:
    lines = []
    for at in range(0, len(raw), width):
        part = raw[at : at + width]
        groups = " ".join(part[one : one + group].hex() for one in range(0, len(part), group))
        lines.append(f"{before}{at:06x}{mark}{groups}")
    return "\n".join(lines)


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16])
def test_a_dump_that_prints_nothing_is_read_where_its_offsets_count_its_bytes(masker: Masker, count: int) -> None:
    raw, masked = (one + b"x" * count for one in (TEXT, TEXT.replace(b"234-45-6789", b"<US_SSN>")))
    assert masker.keep_text(bare(raw)) == bare(masked)
    assert masker.keep_text("read:\n" + bare(raw, "\t0x", ":  ", 2)) == "read:\n" + bare(masked, "\t0x", ":  ", 2)
    assert masker.keep_text(bare(raw).upper()) == bare(masked).upper()
    assert masker.keep_text(bare(raw, width=8) + "\n000034\n") == bare(masked, width=8) + "\n000034\n"


def test_a_table_of_years_and_numbers_is_no_dump(masker: Masker) -> None:
    text = "2024 41 42 43 44\n2025 45 46 47 48\n2026 49 50 51 52"
    assert masker.keep_text(text) == text


@pytest.mark.parametrize("width", [8, 10, 30, 32])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\n    "])
def test_lines_of_hexadecimal_are_read_as_one(masker: Masker, width: int, newline: str) -> None:
    def lines(raw: bytes) -> str:
        return newline.join(raw[at : at + width].hex() for at in range(0, len(raw), width))

    masked = TEXT.replace(b"234-45-6789", b"<US_SSN>")
    assert masker.keep_text(f"key:\n{lines(TEXT)}\nend") == f"key:\n{lines(masked)}\nend"


def test_lines_of_hexadecimal_that_are_no_text_stay(masker: Masker) -> None:
    digests = "\n".join(hashlib.sha256(bytes([one])).hexdigest() for one in range(20))
    assert masker.keep_text(digests) == digests


@pytest.mark.parametrize("write", [dump, as_hexdump, bare])
def test_reading_a_long_dump_is_stopped_when_the_time_is_up(write: Callable[[bytes], str]) -> None:
    text = write(b"nothing in it at all" * 400)
    looks = itertools.count()
    with pytest.raises(MaskingError):
        dumps_in(text, Budget(lambda: next(looks) * 0.001, IN_PLACE))
    assert len(dumps_in(text, Budget())) == 1

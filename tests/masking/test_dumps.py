"""Dumps that are indented, quoted, part of a patch or of a log: read as their bytes, written again in their columns."""

import hashlib
import itertools
from collections.abc import Callable

import pytest

from holdfast.errors import MaskingError
from holdfast.jsontext import JsonObject
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


VALUE = b"234-45-6789"


def in_rows(raw: bytes, cell: Callable[[int], str], radix: str | None = None, width: int = 16) -> str:
    """Rows as od and hexdump write them, with offsets in ``radix`` or without."""
    return "\n".join(
        (f"{at:07{radix}}" if radix else "") + "".join(f" {cell(byte)}" for byte in raw[at : at + width])
        for at in range(0, len(raw), width)
    )


def shown(byte: int) -> str:
    named = {0: "\\0", 9: "\\t", 10: "\\n"}
    return f"{named.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f'{byte:03o}'):>3}"


CELLS = {
    "characters": shown,
    "octals": lambda byte: f"{byte:03o}",
    "decimals": lambda byte: f"{byte:3d}",
    "pairs": lambda byte: f"{byte:02x}",
}


@pytest.mark.parametrize("radix", ["o", "d", "x", None])
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("width", [8, 16])
def test_rows_of_bytes_are_read_whatever_numbers_they_are_in(
    masker: Masker, kind: str, radix: str | None, width: int
) -> None:
    raw, masked = ("Größe of Bob:\n".encode() + one + b"\tand more of it" for one in (VALUE, b"<US_SSN>"))
    rows, expected = (in_rows(one, CELLS[kind], radix, width) for one in (raw, masked))
    assert masker.keep_text(f"$ od x\n{rows}\n") == f"$ od x\n{expected}\n"


@pytest.mark.parametrize("radix", ["o", "x"])
def test_pairs_of_bytes_as_numbers_are_read_from_their_last_byte_on(masker: Masker, radix: str) -> None:
    def words(raw: bytes) -> str:
        raw += bytes(len(raw) % 2)
        lines = (raw[at : at + _WIDTH] for at in range(0, len(raw), _WIDTH))
        return "\n".join(
            f"{number * _WIDTH:07{radix}}"
            + "".join(f" {line[at + 1]:02x}{line[at]:02x}" for at in range(0, len(line), 2))
            for number, line in enumerate(lines)
        )

    masked = TEXT.replace(VALUE, b"<US_SSN>")
    assert masker.keep_text(words(TEXT)) == words(masked)
    assert masker.keep_text(words(TEXT) + "   \n000064\n") == words(masked) + "\n000064\n"


LISTS = ["[{}]", "bytes([{}])", "new byte[] {{ {} }};", "String.fromCharCode({})", "sizes: {}."]


@pytest.mark.parametrize("form", LISTS)
@pytest.mark.parametrize("between", [",", ", "])
@pytest.mark.parametrize("width", [0, 8])
def test_lists_of_decimal_bytes_are_read(masker: Masker, form: str, between: str, width: int) -> None:
    def listed(raw: bytes) -> str:
        step = width or len(raw)
        lines = (raw[at : at + step] for at in range(0, len(raw), step))
        return form.format(",\n    ".join(between.join(map(str, line)) for line in lines))

    if width and form.startswith("["):
        form = f"x = {form}"  # else it is JSON, which is written anew
    assert masker.keep_text(listed(TEXT)) == listed(TEXT.replace(VALUE, b"<US_SSN>"))


def test_a_card_alone_in_decimal_bytes_is_masked(masker: Masker) -> None:
    masked = masker.keep_text("pan = " + ", ".join(map(str, b"4111111111111111")))
    assert masked == "pan = " + ", ".join(map(str, b"************1111"))


def test_bytes_in_an_array_of_json_are_read(masker: Masker) -> None:
    value: JsonObject = {"type": "Buffer", "data": [*TEXT]}
    assert masker.keep_json(value) == {"type": "Buffer", "data": [*TEXT.replace(VALUE, b"<US_SSN>")]}


@pytest.mark.parametrize(
    "text",
    [
        "sizes = [100, 105, 110, 101, 98, 99, 104, 101, 102, 103, 111, 112, 120]",
        "ages: 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 48, 49, 50",
        "0000000 000001 000002 000003\n0000020 000010 000011 000012",
        " 41 42 43 44 45 46 47 48\n 51 52 53 54 55 56 57 58\n",
        "   a   b   c   d   e   f\n   1   2   3   4   5   6\n",
        " 12  13  14  15  16  17  18  19\n 22  23  24  25  26  27  28  29\n",
        "x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 256, 300]",
    ],
)
def test_numbers_that_are_no_text_stay(masker: Masker, text: str) -> None:
    assert masker.keep_text(text) == text


def test_reading_many_rows_is_stopped_when_the_time_is_up() -> None:
    text = in_rows(b"nothing in it at all" * 400, shown, "o")
    looks = itertools.count()
    with pytest.raises(MaskingError):
        dumps_in(text, Budget(lambda: next(looks) * 0.001, IN_PLACE))
    assert len(dumps_in(text, Budget())) == 1

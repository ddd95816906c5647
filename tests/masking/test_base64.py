"""Base64 of texts: whole values, resources, and runs within longer texts."""

import base64
import json
from collections.abc import Callable

import pytest
from tests.masking.test_protocol_positions import PAN, SSN, STARS, at, mask, text_of

from holdfast.jsontext import Json
from holdfast.masking.masker import Masker
from holdfast.masking.texts import text_of as text_of_bytes


async def test_text_in_a_base64_resource_is_masked(masker: Masker) -> None:
    blob = base64.b64encode(f"name,card\nBob,{PAN}\n".encode()).decode()
    resource: Json = {"uri": "x://y.csv", "mimeType": "text/csv", "blob": blob}
    masked = await mask(masker, {"id": 1, "result": {"contents": [resource]}})
    changed = at(masked.forward, "result", "contents", 0, "blob")
    assert base64.b64decode(str(changed)).decode() == f"name,card\nBob,{STARS}\n"
    assert blob not in text_of(masked.keep)


@pytest.mark.parametrize("mime", ["text/plain", "application/octet-stream", "image/png"])
async def test_text_posing_as_an_image_is_still_found(masker: Masker, mime: str) -> None:
    blob = base64.b64encode(f"my card is {PAN}".encode()).decode()
    content: Json = [{"type": "image", "mimeType": mime, "data": blob}]
    masked = await mask(masker, {"id": 1, "result": {"content": content}})
    assert blob not in text_of(masked.forward)


async def test_an_image_is_left_alone(masker: Masker) -> None:
    blob = base64.b64encode(bytes(range(256)) * 20).decode()
    content: Json = [{"type": "image", "mimeType": "image/png", "data": blob}]
    masked = await mask(masker, {"id": 1, "result": {"content": content}})
    assert at(masked.forward, "result", "content") == content
    assert masked.findings == ()


async def test_base64_in_a_plain_string_is_opened(masker: Masker) -> None:
    blob = base64.b64encode(f"ssn {SSN}".encode()).decode()
    masked = await mask(masker, {"id": 1, "result": {"x": blob}})
    assert base64.b64decode(str(at(masked.forward, "result", "x"))).decode() == "ssn <US_SSN>"


IN_BASE64 = base64.b64encode(f"the number is {SSN}, as said".encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        "data:text/plain;base64,{}",
        "data:;base64,{}",
        "see (data:text/csv;charset=utf-8;base64,{}) above",
        "apiVersion: v1\nkind: Secret\ndata:\n  note: {}\n",
        '{{"a": 1}} and then {}',
        "first {} then {}",
    ],
)
async def test_base64_of_a_text_within_a_text_is_opened(masker: Masker, form: str) -> None:
    masked = await mask(masker, {"id": 1, "result": {"x": form.format(IN_BASE64, IN_BASE64)}})
    inside = base64.b64encode(b"the number is <US_SSN>, as said").decode()
    assert at(masked.forward, "result", "x") == form.format(inside, inside)
    assert at(masked.keep, "result", "x") == form.format(inside, inside)
    assert masked.counts()["US_SSN"] == form.count("{}")


async def test_base64_within_a_text_is_opened_for_what_is_kept_where_its_mask_does_not_travel(masker: Masker) -> None:
    blob = base64.b64encode(f"it was from 10.20.30.40, with the card {PAN}".encode()).decode()
    masked = await mask(masker, {"id": 1, "result": {"x": f"from 10.20.30.40 too: {blob}"}})
    said, kept = (str(at(message, "result", "x")).rpartition(" ")[2] for message in (masked.forward, masked.keep))
    assert base64.b64decode(said).decode() == f"it was from 10.20.30.40, with the card {STARS}"
    assert "10.20.30.40" not in base64.b64decode(kept).decode()
    assert str(at(masked.forward, "result", "x")).startswith("from 10.20.30.40 too")
    assert masked.counts() == {"CREDIT_CARD": 1, "IP_ADDRESS": 2}


async def test_what_is_no_text_in_base64_within_a_text_stays(masker: Masker) -> None:
    text = f"sha256-{base64.b64encode(bytes(range(7, 39))).decode()} src/holdfast/masking/protocol_positions.py"
    masked = await mask(masker, {"id": 1, "result": {"x": text}})
    assert at(masked.forward, "result", "x") == text


LINES = (
    f"name,ssn,card\nBob,{SSN},{PAN}\nand words enough for several lines of base64, as mails and files have them\n" * 2
)
MIME = base64.encodebytes(LINES.encode()).decode()


def in_lines(width: int, newline: str) -> str:
    encoded = base64.b64encode(LINES.encode()).decode()
    return newline.join(encoded[at : at + width] for at in range(0, len(encoded), width))


@pytest.mark.parametrize(("width", "newline"), [(76, "\n"), (76, "\r\n"), (64, "\n"), (60, "\n    ")])
def test_base64_in_lines_is_opened_and_goes_back_into_such_lines(masker: Masker, width: int, newline: str) -> None:
    text = f"Content-Transfer-Encoding: base64{newline}{newline}{in_lines(width, newline)}{newline}--next"
    masked = masker.keep_text(text)
    head, tail = f"Content-Transfer-Encoding: base64{newline}{newline}", f"{newline}--next"
    assert masked.startswith(head)
    assert masked.endswith(tail)
    lines = masked[len(head) : -len(tail)].split(newline)
    assert all(len(line) == width for line in lines[:-1])
    assert base64.b64decode("".join(lines)).decode() == masker.keep_text(LINES)


def test_a_text_in_five_others_as_signed_bundles_have_them_is_masked(masker: Masker) -> None:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    def bundle(certificate: str) -> str:
        key = f"-----BEGIN CERTIFICATE-----\n{encoded(certificate)}\n-----END CERTIFICATE-----\n"
        return json.dumps({"entries": [{"body": encoded(json.dumps({"publicKey": {"content": encoded(key)}}))}]})

    assert masker.keep_text(bundle("nothing personal in it")) == bundle("nothing personal in it")
    assert masker.keep_text(bundle(f"a card, {PAN}")) == bundle(f"a card, {STARS}")


def test_a_short_word_behind_lines_of_base64_is_no_part_of_them(masker: Masker) -> None:
    encoded = in_lines(76, "\n").rstrip("=")
    encoded = encoded[: len(encoded) // 77 * 77].rstrip("\n")
    assert PAN not in LINES[: len(encoded) // 77 * 57] or "y: 1" in masker.keep_text(f"{encoded}\ny: 1")


@pytest.mark.parametrize(
    "spelt",
    [
        LINES.encode().hex(),
        LINES.encode().hex().upper(),
        "0x" + LINES.encode().hex(),
        "\\x" + LINES.encode().hex(),
        LINES.encode().hex(" "),
        LINES.encode().hex(":"),
        ", ".join(f"0x{byte:02x}" for byte in LINES.encode()),
    ],
)
def test_hexadecimal_of_text_is_opened_and_goes_back_as_it_stood(masker: Masker, spelt: str) -> None:
    masked = masker.keep_text(f"hex {spelt} end")
    spelt_bytes = masked.removeprefix("hex ").removesuffix(" end").replace("0x", "")
    bare = "".join(char for char in spelt_bytes if char in HEX)
    assert bytes.fromhex(bare).decode() == masker.keep_text(LINES)
    assert spelt_bytes.isupper() == spelt.isupper()
    assert (" 0x" in masked) == ("0x" in spelt)


HEX = "0123456789abcdefABCDEF"


@pytest.mark.parametrize("text", [SSN.encode().hex(), f"id {PAN.encode().hex()}", "4f" * 20])
def test_a_short_run_in_hexadecimal_is_opened_too(masker: Masker, text: str) -> None:
    assert (masker.keep_text(text) == text) == (text == "4f" * 20)


@pytest.mark.parametrize(
    "text",
    ["3f786850e387550fdab836ed7e6dc881de23001b", "00:1b:44:11:3a", "4242424242424243", "de ad be ef 00 11 22 33"],
)
def test_hexadecimal_that_is_no_text_is_left_alone(masker: Masker, text: str) -> None:
    assert masker.keep_text(text) == text


def xxd(data: bytes) -> str:
    lines = []
    for first in range(0, len(data), 16):
        part = data[first : first + 16]
        groups = " ".join(part[two : two + 2].hex() for two in range(0, len(part), 2))
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{first:08x}: {groups:39}  {shown}")
    return "\n".join(lines)


def hexdump(data: bytes) -> str:
    lines = []
    for first in range(0, len(data), 16):
        part = data[first : first + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{first:08x}  {part[:8].hex(' ') + '  ' + part[8:].hex(' '):48}  |{shown}|")
    return "\n".join(lines)


@pytest.mark.parametrize("dump", [xxd, hexdump])
def test_a_dump_is_read_as_the_bytes_it_shows_and_written_again(masker: Masker, dump: Callable[[bytes], str]) -> None:
    assert (
        masker.keep_text(f"$ dump\n{dump(LINES.encode())}\n$") == f"$ dump\n{dump(masker.keep_text(LINES).encode())}\n$"
    )


def test_a_dump_of_what_is_no_text_is_left_alone(masker: Masker) -> None:
    text = xxd(bytes(range(256)))
    assert masker.keep_text(text) == text


@pytest.mark.parametrize("url", ["q=4111%2B1111%2B1111%2B1111", "q=bob%2540example.com", "a=234%252D45%252D6789"])
def test_a_form_that_is_encoded_twice_is_read_twice(masker: Masker, url: str) -> None:
    masked = masker.keep_text(url)
    assert masked != url
    assert not any(part in masked for part in ("4111%", "bob", "6789"))


async def test_many_lines_that_are_no_text_take_no_long_time(masker: Masker) -> None:
    text = ("A" * 76 + "\n") * 600
    assert masker.keep_json(text) == text


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("0001: " + " ".join(["6161"] * 8) + f"  {PAN}", PAN),
        ("00000000  61 61 61 61 61 61 61 61  61 61 61 61 61 61 61  |bob@example.com|", "bob@"),
    ],
)
def test_what_a_dump_prints_beside_other_bytes_is_masked(masker: Masker, line: str, value: str) -> None:
    assert value not in masker.keep_text(line)


def test_lines_of_a_dump_that_leave_bytes_out_keep_their_offsets(masker: Masker) -> None:
    shown = {0: "to: bob@acme.com", 0x400: "to: ann@acme.org"}
    text = "\n".join(f"{offset:08x}: {said.encode().hex(' ', 2)}  {said}" for offset, said in shown.items())
    masked = masker.keep_text(text)
    assert [line[:8] for line in masked.splitlines()] == ["00000000", "00000010", "00000400", "00000410"]
    assert b"acme" not in bytes.fromhex("".join(line[10:50].replace(" ", "") for line in masked.splitlines()))


def test_bytes_in_groups_are_opened_whatever_is_printed_beside_them(masker: Masker) -> None:
    text = f"0010: {b'to: bob@acme.com'.hex(' ', 2)}  what it says"
    masked = masker.keep_text(text)
    assert masked.startswith("0010: ")
    assert masked.endswith("  what it says")
    assert b"acme" not in bytes.fromhex(masked[6:-14].replace(" ", ""))


@pytest.mark.parametrize(
    "value",
    ["4333 4077 7363 5245", "4242 4242 4242 4242", "DE98 5001 4823 7224 2077 57", "DE85 5001 4874 5237 3269 44"],
)
def test_groups_that_may_be_read_as_bytes_are_read_as_they_stand_too(masker: Masker, value: str) -> None:
    for text in (value, f"the value is {value}, as said", f"first\n{value}\nlast"):
        assert value not in masker.keep_text(text)


def test_lines_that_print_other_than_their_bytes_are_no_dump(masker: Masker) -> None:
    said = {0: (b"nothing to see, ", "4111111111111111"), 16: (b"and nothing here", "and nothing here")}
    text = "\n".join(f"{offset:08x}: {data.hex(' ', 2)}  {shown}" for offset, (data, shown) in said.items())
    assert "4111111111111111" not in masker.keep_text(text)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", ["{}", "powershell.exe -NoProfile -EncodedCommand {} -Verb x", "0x{}"])
def test_text_in_wide_characters_is_opened_without_a_byte_order_mark(masker: Masker, encoding: str, form: str) -> None:
    def written(text: str) -> str:
        raw = text.encode(encoding)
        return form.format(raw.hex() if form.startswith("0x") else base64.b64encode(raw).decode())

    said = "$pw = '{}'; Größe €"
    assert masker.keep_text(written(said.format("Ex4mple!"))) == written(said.format("<PASSWORD>"))


@pytest.mark.parametrize("owner", ["", "ann", "bob@x.example"])
@pytest.mark.parametrize("form", ["C: {}", '{{"mechanism": "PLAIN", "initial": "{}"}}', "auth {} ok"])
def test_the_password_of_a_login_between_nuls_is_masked(masker: Masker, owner: str, form: str) -> None:
    def written(password: str) -> str:
        return form.format(base64.b64encode(f"{owner}\0bob-the-owner\0{password}".encode()).decode())

    assert masker.keep_text(written("exampleword")) == written("<PASSWORD>")


def test_variables_of_a_process_in_base64_are_opened(masker: Masker) -> None:
    def written(ssn: str) -> str:
        return base64.b64encode(f"HOME=/\0NOTE=ssn {ssn}\0LANG=en\0TERM=xterm\0".encode()).decode()

    assert masker.keep_text(written(SSN)) == written("<US_SSN>")


@pytest.mark.parametrize("raw", [bytes(64), b"\0\1" * 40, b"a\0\0\0b\0\0\0" * 8, b"\0PNG" * 3 + bytes(40)])
def test_bytes_that_are_mostly_nul_are_no_text(masker: Masker, raw: bytes) -> None:
    assert text_of_bytes(raw, textual=False) is None
    blob = base64.b64encode(raw).decode()
    assert masker.keep_text(blob) == blob

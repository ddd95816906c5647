# ruff: noqa: RUF001 -- look-alikes are what this is about
"""A value is found however its characters are spelled, and what is masked leaves no half of an escape behind."""

import asyncio
import html
import re
import unicodedata
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.call import Direction, Reply
from holdfast.masking.escapes import decoded
from holdfast.masking.lookalikes import seen_as
from holdfast.masking.masker import Masker
from holdfast.masking.spelling import as_it_stands
from holdfast.masking.spellings import ROUNDS_MAX, spellings_of

VALUES = {
    "card": "4111 1111 1111 1111",
    "ssn": "234-45-6789",
    "iban": "DE89370400440532013000",
    "mail": "bob.smith@example.com",
    "phone": "+1 212 555 2368",
    "key": "AKIAIOSFODNN7EXAMPLE",
}
DIGITS = "0123456789"


def shifted(start: int, zero: str) -> Callable[[str], str]:
    return lambda value: "".join(
        (chr(start + int(char) - 1) if char != "0" else zero) if char in DIGITS else char for char in value
    )


def swapped(old: str, new: str) -> Callable[[str], str]:
    return lambda value: value.translate(str.maketrans(old, new))


LOOKS: dict[str, Callable[[str], str]] = {
    "nothing": str,
    "full width": lambda value: "".join(chr(ord(char) + 0xFEE0) if char > " " else "\u3000" for char in value),
    "Arabic-Indic digits": swapped(DIGITS, "٠١٢٣٤٥٦٧٨٩"),
    "Devanagari digits": swapped(DIGITS, "०१२३४५६७८९"),
    "mathematical digits": lambda value: "".join(chr(0x1D7CE + int(c)) if c in DIGITS else c for c in value),
    "superscripts": swapped(DIGITS, "⁰¹²³⁴⁵⁶⁷⁸⁹"),
    "circled digits": shifted(0x2460, "\u24ea"),
    "parenthesised digits": shifted(0x2474, "0"),
    "digits with a full stop": shifted(0x2488, "0"),
    "negative circled digits": shifted(0x2776, "\u24ff"),
    "keycaps": lambda value: "".join(c + "\ufe0f\u20e3" if c in DIGITS else c for c in value),
    "Cyrillic": swapped("aeopcxysjABEKMHOPCTXS", "аеорсхуѕјАВЕКМНОРСТХЅ"),
    "Greek": swapped("opvABEZHIKMNOPTYX", "ορνΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"),
    "Cherokee": swapped("DRTAJEWMHZSLCPKB", "ᎠᎡᎢᎪᎫᎬᎳᎷᎻᏃᏚᏞᏟᏢᏦᏴ"),
    "small capitals": swapped("abcdefghijklmnoprstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ"),
    "letterlike symbols": swapped("elo", "\u212f\u2113\u2134"),
    "regional indicators": lambda value: "".join(chr(0x1F1E6 + ord(c) - 65) if "A" <= c <= "Z" else c for c in value),
    "no-break blanks": swapped(" ", "\u00a0"),
    "braille blanks": swapped(" ", "\u2800"),
    "line separators around": lambda value: f"\u2028{value}\u2029",
    "zero-width blanks between": "\u200b".join,
    "soft hyphens between": "\u00ad".join,
    "Hangul fillers between": "\u3164".join,
    "variation selectors between": "\ufe0e".join,
    "bidi controls between": "\u202d".join,
    "combining marks between": "\u0338".join,
    "NUL between": "\0".join,
    "tag characters between": "\U000e0041".join,
    "tag characters alone": lambda value: "".join(chr(0xE0000 + ord(char)) for char in value),
    "variation selectors alone": lambda value: "x" + "".join(chr(0xE00F0 + ord(char)) for char in value),
    "odd dashes and dots": swapped("-.", "\u2212\u3002"),
}
WRAPS: dict[str, Callable[[str], str]] = {
    "percent": lambda value: "".join(f"%{byte:02x}" for byte in value.encode()),
    "percent of look-alikes": lambda value: urllib.parse.quote(LOOKS["full width"](value)),
    "percent with u": lambda value: "".join(f"%u{ord(char):04X}" for char in value),
    "form data": lambda value: f"a=b&q={urllib.parse.quote_plus(value)}",
    "form data with plus signs alone": lambda value: f"q={value.replace(' ', '+')}",
    "decimal entities": lambda value: "".join(f"&#{ord(char)};" for char in value),
    "decimal entities without semicolon": lambda value: "".join(f"&#{ord(char)}" for char in value) + " ",
    "entities with leading zeros": lambda value: "".join(f"&#000{ord(char)};" for char in value),
    "hexadecimal entities": lambda value: "".join(f"&#X{ord(char):x};" for char in value),
    "named entities": lambda value: value.replace("@", "&commat;").replace(" ", "&nbsp;").replace("-", "&hyphen;"),
    "soft hyphens as entities": "&shy;".join,
    "non-joiners as entities": "&zwnj;".join,
    r"\x": lambda value: "".join(f"\\x{ord(char):02x}" for char in value),
    r"\u": lambda value: "".join(f"\\u{ord(char):04x}" for char in value),
    r"\u in pairs": lambda value: LOOKS["mathematical digits"](value).encode("unicode_escape").decode(),
    r"\u{}": lambda value: "".join(f"\\u{{{ord(char):x}}}" for char in value),
    r"\U": lambda value: "".join(f"\\U{ord(char):08X}" for char in value),
    "octal": lambda value: "".join(f"\\{ord(char):03o}" for char in value),
    "between escaped line ends": lambda value: f"a\\n{value}\\nb",
    "quoted-printable": lambda value: value[:5] + "=\r\n" + value[5:].replace("@", "=40") + "=20.",
}


def shown(text: str) -> str:
    """The letters and digits of ``text`` as they look."""
    folded = (unicodedata.normalize("NFKC", char) for char in text if unicodedata.category(char) not in ("Cf", "Mn"))
    return "".join(char for char in "".join(folded).casefold() if char.isalnum())


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("look", LOOKS)
def test_a_value_in_look_alikes_is_masked_where_it_stands(masker: Masker, look: str, value: str) -> None:
    text = LOOKS[look](value)
    masked = masker.keep_text(f"seen {text} there")
    assert masked.startswith("seen ")
    assert masked.endswith(" there")
    assert "<" in masked or "*" in masked
    assert shown("".join(map(seen_as, value)))[:-4] not in shown("".join(map(seen_as, masked)))
    assert masker.keep_text(masked) == masked


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("wrap", WRAPS)
def test_a_value_in_escapes_is_masked_and_no_half_of_one_is_left(masker: Masker, wrap: str, value: str) -> None:
    masked = masker.keep_text(f"seen {WRAPS[wrap](value)} there")
    assert "<" in masked or "*" in masked
    rest = re.sub(r"<[A-Z_]+(_[0-9a-f]{12})?>|\*+(1111)?", "", masked)
    assert not re.search(r"[\\%=&#]|\d{3}", rest.replace("a=b&q=", "").replace("q=", "").replace("\\n", "")) or (
        "=\r\n" in rest or "=20" in rest
    )
    assert masker.keep_text(masked) == masked


def test_a_mask_does_not_depend_on_the_spelling_of_the_value(masker: Masker) -> None:
    plain = masker.keep_text("bob@example.com")
    assert masker.keep_text("bob&commat;example.com") == masker.keep_text("b\u200bob@ex%61mple.com") == plain
    assert masker.keep_text("%34%31%31%31 1111 1111 %31%31%31%31") == "*" * 12 + "1111"


@pytest.mark.parametrize(
    "text",
    [
        "100% of them, 50%off & more",
        "https://example.com/a?b=1&c=2&copy=3",
        "C:\\new\\table and \\server\\share",
        'if (a && b) { printf("%d\\n", x); }',
        "x = y + z; a=b+c",
        "naïve café, Straße, 数据库",
        "Title\n=====\n\nEMPTY=\nPORT=8080\n a =\n 40",
    ],
)
def test_text_that_only_looks_escaped_passes_as_it_is(masker: Masker, text: str) -> None:
    assert masker.keep_text(text) == text


def test_an_ordinary_text_has_no_other_spelling() -> None:
    for text in ("", "plain words, 12.5 and a line\nend\ttab", '{"a": [1, 2]}', "x = y", "AT=T 100% R&D \\ C:\\"):
        assert spellings_of(text).others == ()


def test_the_longest_entity_and_utf8_over_several_escapes_are_read() -> None:
    read = {
        "&ampx": "&x",
        "&lt5;": "<5;",
        "%F0%9F%98%80%80": "\U0001f600\x80",
        "\\ud83d\\ude00\\ud83d": "\U0001f600\ud83d",
        "&#x110000;&#0;": "\ufffd\ufffd",
        "\\u{110000}a": "a",
        "%e2%82": "\xe2\x82",
    }
    for text, expected in read.items():
        (spelling,) = decoded(text)
        assert spelling.text == expected
        assert spelling.origins[len(expected)] == len(text)


def test_a_long_text_is_spelled_only_around_what_can_be_spelled_otherwise(masker: Masker) -> None:
    filler = "word " * 5000
    text = f"{filler}bob%40example.com and {filler}4111&nbsp;1111&nbsp;1111&nbsp;1111 {filler}"
    assert all(len(other.text) < 1000 for other in spellings_of(text).others)
    masked = str(masker.keep_json(text))
    assert masked.count(filler) == 3
    assert masked.count("*" * 12 + "1111") == 1
    assert "example" not in masked


def test_a_spelling_is_searched_only_where_it_differs_from_what_it_was_made_of() -> None:
    filler = "word " * 200
    texts = [f"{filler}{mark}{filler}" for mark in ("%41", "&#65;", "\\x41", "\u0410", "%26%2365;")]
    others = spellings_of("".join(texts)).others
    assert sum(len(other.text) for other in others) < 20 * 700
    assert any("A" in other.text for other in others)


@pytest.mark.parametrize("digit", ["\\uff11", "\uff11"])
def test_a_value_among_many_escapes_and_a_few_look_alikes_is_masked(masker: Masker, digit: str) -> None:
    letters = "l\\u0065tt\\u0065r "
    card = "4111\\u00201111\\u00201111\\u00201111"
    text = f"one of {digit} or {digit} {letters * 200} card {card} {letters * 200}"
    assert masker.keep_json(text) == text.replace(card, "************1111")


def test_what_is_decoded_in_two_orders_is_searched_where_the_shorter_way_differs() -> None:
    text = "".join(f"&#{ord(char)};" for char in "red paper and blue ink " * 60) + "%34"
    whole, *parts = sorted((one.text for one in spellings_of(text).others), key=len, reverse=True)
    assert whole.endswith("red paper and blue ink %34")
    assert any(part.endswith("red paper and blue ink 4") for part in parts)
    assert max(map(len, parts)) < 600


def test_no_unit_is_cut_where_a_spelling_is_searched_in_parts() -> None:
    whole = as_it_stands("x \u33af 1").swapped({"\u33af": "rad/s2"})  # the unit is one character
    for start, end in ((4, 5), (2, 3), (2, 8), (7, 8)):
        part = whole.part(start, end)
        assert part.text == "rad/s2"
        assert part.span(0, len(part.text)) == (2, 3)
    assert whole.part(5, 9).text == "rad/s2 "


@pytest.mark.parametrize("text", ["хруст\u0301", "\u200b\u0301e4\u0301\u0301х", "४\u094d १"])
def test_many_look_alikes_are_read_as_each_of_them_is_by_itself(text: str) -> None:
    chars = {"х": "x", "у": "y", "с": "c", "\u0301": "", "\u200b": "", "\u094d": "", "४": "4", "१": "1"}
    count = 300  # of so many none is noted by itself
    once, often = as_it_stands(text).swapped(chars), as_it_stands(text * count).swapped(chars)
    assert often.text == once.text * count
    size, shown = len(text), len(once.text)
    places = [at * size + once.origins[index] for at in range(count) for index in range(shown)]
    assert [often.origins[index] for index in range(shown * count)] == places
    assert often.origins[shown * count] == size * count


def test_a_phrase_in_one_character_is_no_part_of_a_value() -> None:
    assert spellings_of("\ufdfa" * 100).others == ()
    assert [other.text for other in spellings_of("\u33af").others] == ["rad/s2"]


def test_a_value_that_reaches_beyond_what_was_spelled_is_masked_whole(masker: Masker) -> None:
    lines = "MIIEowIBAAKCAQEA0b9ZKq3v\n" * 60
    filler = "word " * 5000
    text = f"{filler}-----BEGIN RSA&nbsp;PRIVATE&nbsp;KEY-----\n{lines}-----END RSA PRIVATE KEY-----\n{filler}"
    assert masker.keep_json(text) == f"{filler}<PRIVATE_KEY>\n{filler}"


def quoted(text: str, choose: Callable[[], bool]) -> str:
    return "".join(
        "".join(f"%{byte:02X}" for byte in char.encode()) if char == "%" or choose() else char for char in text
    )


def entities(text: str, choose: Callable[[], bool]) -> str:
    return "".join(f"&#{ord(char)};" if char == "&" or choose() else char for char in text)


def backslashed(text: str, choose: Callable[[], bool]) -> str:
    return "".join(f"\\u{{{ord(char):x}}}" if char == "\\" or choose() else char for char in text)


def unbackslashed(text: str) -> str:
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda match: chr(int(match[1], 16)), text)


type Codec = tuple[Callable[[str, Callable[[], bool]], str], Callable[[str], str]]
CODECS: list[Codec] = [(quoted, urllib.parse.unquote), (entities, html.unescape), (backslashed, unbackslashed)]
TIDY = (
    "nothing",
    "full width",
    "mathematical digits",
    "no-break blanks",
    "zero-width blanks between",
    "soft hyphens between",
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_decoding_of_what_was_masked_shows_the_value(masker: Masker, data: st.DataObject) -> None:
    value = data.draw(st.sampled_from(list(VALUES.values())))
    look = data.draw(st.sampled_from(TIDY))
    chain = data.draw(st.lists(st.sampled_from(CODECS), min_size=1, max_size=ROUNDS_MAX))
    text = f"The order, {LOOKS[look](value)} , is on its way."
    for encode, _ in chain:
        choices = data.draw(st.lists(st.booleans(), min_size=1, max_size=7))
        text = encode(text, iter(choices * (len(text) + 1)).__next__)
    reply = Reply(1, {"content": [{"type": "text", "text": text}]}, None, Direction.TO_CLIENT)
    masked = asyncio.run(masker.mask(reply, server="crm"))
    for message in (masked.forward, masked.keep):
        assert isinstance(message, Reply)
        out = str(message.result["content"][0]["text"])  # type: ignore[index, call-overload] # the shape is above
        for _, decode in reversed(chain):
            out = decode(out)
            assert shown(value)[:-4] not in shown(out)
        assert out.startswith("The order, ")
        assert out.endswith(" , is on its way.")

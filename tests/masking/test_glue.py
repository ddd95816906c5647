"""Values without the edge of a word: glued to underscores, other scripts, colour codes; and files named after one."""

import asyncio
import itertools

import pytest
from tests.masking.conftest import KEY, rules_of

from holdfast.call import Call, Direction
from holdfast.masking.entries import MaskingRules
from holdfast.masking.glue import glued_in, unglued
from holdfast.masking.masker import Masker

VALUES = [
    *("4111111111111111", "4111 1111 1111 1111", "234-45-6789", "bob@example.com", "DE89370400440532013000"),
    *("(212) 555-2368", "+44 20 7946 0958", "212-555-2368", "10.20.30.40", "2001:db8::8a2e:370:7334"),
    *("00:1A:2B:3C:4D:5E", "AKIAIOSFODNN7EXAMPLE", "ghp_EXAMPLE0EXAMPLE0EXAMPLE0EXAMPLE0EXAM"),
]
AROUND = [
    *("_{}_", "x_{}", "{}_old", "__{}__", "*{}*", "**{}**", "`{}`", "~~{}~~", "|{}|", "[{}]", "({})", "<b>{}</b>"),
    *("号码{}号", "{}です", "на{}", "é{}é", "№{}", "“{}”", "·{}·", "…{}…"),
    *("\x1b[31m{}\x1b[0m", "x\x1b[31m{}\x1b[0my", "\x1b[1;38;5;208m\x1b[K{}\x1b[m\x1b[K", "\x9b31m{}\x9b0m"),
    *("\x1b]8;;https://h.test\x07{}\x1b]8;;\x07", "\\u001b[31m{}\\u001b[0m", "\u241b[31m{}\u241b[0m"),
    *("%0a{}%0a", "%22{}%22", "\\n{}\\n", "a:{},", "x={}&y=1", "#{}", "@{}", "+{}"),
]


def kept_of(value: str, masked: str) -> str:
    """The longest part of ``value`` that stands in ``masked``."""
    parts = (value[start:end] for start, end in itertools.combinations(range(len(value) + 1), 2))
    return max((part for part in parts if part in masked), key=len, default="")


@pytest.mark.parametrize("around", AROUND)
def test_a_value_is_masked_whatever_it_is_glued_to(masker: Masker, around: str) -> None:
    for value in VALUES:
        masked = masker.keep_text(around.format(value))
        assert len(kept_of(value, masked)) <= 4, value  # the last four digits of a card stay


BESIDE = [
    *("4111111", "1.1.1.1", "(212) 555-2368", "+1 212 555 2368", "\uff11\uff12\uff13\uff14\uff15\uff16\uff17"),
    *("00:11:22:33:44:5a", "ab-cd-ef-01-23-4f", "fe80::1a2b:3c4d:f", "::ffff:1", "1::2:3:beef", "a:"),
    *("bob@x.com", "@a.b", "x.co", "@"),
    *("é", "号", "ж", "\u0301", "_", "__", "+", "(", ")", "-", ".", " ", "e", "F", "4"),
]


def test_where_only_what_a_value_touches_is_looked_at_the_same_is_glued() -> None:
    letters = " слово и слово" * 20
    for three in itertools.product(BESIDE, repeat=3):
        text = "".join(three)
        *glued, _colour = glued_in(f"{text} \x1b[m")  # with a colour in it, all of a text is looked at
        assert list(glued_in(text + letters)) == glued, text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("client:\x1b[36m2001:db8::8a2e:370:7334\x1b[0m", "2001"),
        ("\x1b[32m12:30:01\x1b[0m:\x1b[36mde:ad:be:ef:00:01\x1b[0m", "de:ad"),
        ("\x1b[35m12\x1b[m\x1b[36m:\x1b[m212-555-2368", "212"),
        ("=\x1b[36mgb42nawi04454264788619\x1b[0m", "nawi"),
        ("\x1b[1m7\x1b[0m\t\x1b[1m123-45-6789\x1b[0m", "123"),
        ("INFO\x1b[1m123-45-6789\x1b[0m\x1b[32m7ms", "123"),
        ("passwd hunter2\x1b[0m[0]", "hunter"),
        ('\x1b[1mpassword\x1b[0m"hunter2Blue!9"', "hunter"),
        ("411111111111111&#49;\x1b[0mok", "4111"),
        ("ssn=+123456789", "1234"),
        ("pin=+4711", "4711"),
        ("mrn=+10005&a=1", "1000"),
    ],
)
def test_a_value_is_masked_beside_a_colour_or_a_plus_sign_as_beside_a_blank(
    masker: Masker, text: str, value: str
) -> None:
    assert value not in masker.keep_text(text)


@pytest.mark.parametrize(
    "word", ["utf_8", "sha_256", "test_1", "é1", "x86_64", "2024_11_22", "naïve", "snake_case_name"]
)
def test_what_is_glued_to_no_value_is_not_read_again(word: str) -> None:
    assert unglued(word) is None


def test_a_name_in_lower_case_and_low_lines_stays_a_name(masker: Masker) -> None:
    for text in (
        "build_20241122_103000",
        "IMG_20241122_103000.jpg",
        "run_1732300000_ok",
        "v_1.2.3_rc1",
        "row_12345678",
    ):
        assert masker.keep_text(text) == text


@pytest.mark.parametrize("suffix", [".txt", ".0", "_old", ".bak", "-copy", ".json.gz", ".2024-11-22.log"])
def test_an_address_that_a_file_is_named_after_is_masked(masker: Masker, suffix: str) -> None:
    plain = masker.keep_text("bob@mail.example.com")
    assert masker.keep_text(f"saved bob@mail.example.com{suffix} there") == f"saved {plain}{suffix} there"


@pytest.mark.parametrize(
    "around",
    [
        *("email={}", "https://x.example/u/{}", "mailto:{}", "a|{}", "user&{}", "x?{}", "a;{}", "q=%22{}%22", "{}"),
        *(
            "%0a{}",
            "?a=1&to={}&b=2",
            "\\email{{{}}}",
            "name='{}'",
            "x{{{}}}",
            "/a#{}",
            "to:{}",
            "`{}`",
            "<{}>",
            "='{}'",
        ),
        *(
            "email%3D{}",
            "q=%2522{}%2522",
            "送{}到",
            "写信给{}。",
            "邮箱{}",
            "email=+{}",
            "a=1&b*{}",
            "%3dcc!{}",
            "*{}*",
            "q=&quot;{}&quot;",
        ),
    ],
)
def test_one_address_has_one_pseudonym_wherever_it_stands(masker: Masker, around: str) -> None:
    plain = masker.keep_text("bob.smith@example.com")
    assert plain.startswith("<EMAIL_ADDRESS_")
    assert masker.keep_text(around.format("bob.smith@example.com")) == around.format(plain)


@pytest.mark.parametrize("around", ["?to={}", "q=%22{}%22", "/u/{}", "email%3D{}"])
def test_so_it_has_where_its_sign_is_encoded(masker: Masker, around: str) -> None:
    plain = masker.keep_text("bob.smith@example.com")
    assert masker.keep_text(around.format("bob.smith%40example.com")) == around.format(plain)


@pytest.mark.parametrize(
    "address",
    [
        *("bounce+bob=example.com@lists.example.org", "SRS0=ab=cd=example.com=bob@example.org", "o'neil@example.com"),
        *("bob+news@example.com", "b.o-b_x@example.com", "bob%2Bnews@example.com", "jörg@example.com"),
        *("o'brien!x@example.com", "bob*z@example.com", "up^down@example.com", "til~de@example.com"),
        *("tim$co@example.com", "x#y@example.com", "a!b*c@example.com"),
    ],
)
def test_what_is_part_of_an_address_is_masked_with_it(masker: Masker, address: str) -> None:
    masked = masker.keep_text(f"to {address} now")
    assert masked.startswith("to <EMAIL_ADDRESS_")
    assert masked.endswith("> now")


@pytest.mark.parametrize("around", ["<{}>", "Mail: {},", '"{}"', "({})", "to={}", "[{}", "a@example.com, {}", "{}\n"])
def test_a_name_with_marks_is_masked_whole_behind_whatever_cannot_be_part_of_it(masker: Masker, around: str) -> None:
    masked = masker.keep_text(around.format("o'brien!x@example.com"))
    assert "brien" not in masked
    assert masked.endswith(around.rpartition("}")[2])
    assert masked.startswith(around.partition("{")[0].replace("a@example.com", "<EMAIL")[:6])


@pytest.mark.parametrize("name", ["dept/sales", "k=v", "who?me", "a{b}c", "p|q"])
def test_between_angles_nothing_stands_but_an_address(masker: Masker, name: str) -> None:
    masked = masker.keep_text(f"To: Bob <{name}@example.com>")
    assert masked.startswith("To: Bob <<EMAIL_ADDRESS_")


def test_a_caller_who_sends_the_pseudonym_back_means_the_address_alone() -> None:
    rules = "entities: [{entity: EMAIL_ADDRESS, operator: pseudonym, forward: to_client, restore: caller}]"
    masker = Masker(rules_of(f"version: 1\n{rules}"), KEY)
    call = Call("vendor/x", {"x": "email=bob@example.com&next=1"}, 1, Direction.TO_CLIENT)
    issued = asyncio.run(masker.mask(call, server="s")).issued
    assert [one.value for one in issued] == ["bob@example.com"]


def test_a_mail_key_leaves_what_stands_before_the_address(masker: Masker, shipped_rules: MaskingRules) -> None:
    plain = masker.keep_text("bob@example.com")
    assert masker.keep_json({"email": "mailto:bob@example.com"}) == {"email": f"mailto:{plain}"}
    assert masker.keep_json({"email": "bob@example.com"}) == {"email": plain}
    assert "bob" not in str(masker.keep_json({"email": "mailto:bob@localhost"}))


@pytest.mark.parametrize("prefix", ["N", "b", "E", "rb"])
def test_what_marks_a_text_of_sql_or_python_is_no_part_of_an_address(masker: Masker, prefix: str) -> None:
    plain = masker.keep_text("bob@example.com")
    assert masker.keep_text(f"x = {prefix}'bob@example.com'") == f"x = {prefix}'{plain}'"


@pytest.mark.parametrize(
    "text", ["card%5F{}%5Fold", "card\\u005f{}\\u005fold", "x&lowbar;{}&#95;y", "card%255f{}%255f"]
)
def test_what_a_value_is_glued_to_may_be_encoded(masker: Masker, text: str) -> None:
    assert "4111111111111111" not in masker.keep_text(text.format("4111111111111111"))


def test_a_ruled_line_is_looked_at_once() -> None:
    # Twice for each of its characters would be hours.
    assert list(glued_in("_" * 1_000_000)) == []
    assert list(glued_in("é" + "_" * 1_000_000)) == []
    assert list(glued_in("_" * 1_000_000 + "4111111111111111")) == [(0, 1_000_000)]


def test_a_mask_over_another_spelling_ends_with_a_whole_escape(masker: Masker) -> None:
    text = "pa\\\\u0073%73word\uff1d\\\\u0054r\\x30ub4dor&\\x33&amp;%20%20"
    assert masker.keep_text(text) == "pa\\\\u0073%73word\uff1d<PASSWORD>%20%20"


@pytest.mark.parametrize("behind", ["\u53f7", "_x"])
def test_a_value_glued_to_a_letter_and_to_what_a_decoded_digit_touches_is_found_at_first_sight(
    masker: Masker, behind: str
) -> None:
    text = f"\u043041111111111\u2460\u2460\u2460\u2460\u2460{behind} of"
    assert "4111" not in masker.keep_text(text)

"""Pseudonyms in the form of the value: what they look like, whose they cannot be, and that they are fixed points."""

import asyncio
import ipaddress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.masking.conftest import KEY, rules_of

from holdfast.call import Call, Direction, Reply
from holdfast.jsontext import Json, JsonObject
from holdfast.masking.checksums import luhn_holds
from holdfast.masking.drawing import compact
from holdfast.masking.finding import Masked
from holdfast.masking.forms import form_of
from holdfast.masking.masker import Masker
from holdfast.masking.preserving import preserved

ENTITIES = [
    "CREDIT_CARD",
    "US_SSN",
    "EMAIL_ADDRESS",
    "IP_ADDRESS",
    "MAC_ADDRESS",
    "PHONE_NUMBER",
    "IBAN_CODE",
    "US_BANK_NUMBER",
    "BADGE",
]
RULES = "version: 1\nphone_regions: [US, GB]\nentities:\n" + "".join(
    f"  - {{entity: {entity}, operator: pseudonym, format: preserve, restore: caller}}\n" for entity in ENTITIES
)
KEYS = (
    "keys:\n  - {id: card-key, entity: CREDIT_CARD, names: [card]}\n  - {id: ssn-key, entity: US_SSN, names: [ssn]}\n"
    "  - {id: badge-key, entity: BADGE, names: [badge]}\n  - {id: phone-key, entity: PHONE_NUMBER, names: [phone]}\n"
    "  - {id: mail-key, entity: EMAIL_ADDRESS, names: [mail]}\n"
)
PAN = "4111 1111 1111 1111"


@pytest.fixture(scope="module")
def masker() -> Masker:
    return Masker(rules_of(RULES + KEYS), KEY)


def anything(_text: str) -> bool:
    return True


def masked(masker: Masker, value: Json, schema: JsonObject | None = None) -> Masked:
    reply = Reply(1, {"structuredContent": value}, None, Direction.TO_CLIENT)
    return asyncio.run(masker.mask(reply, server="crm", schema=schema))


def told(masker: Masker, value: Json, schema: JsonObject | None = None) -> Json:
    done = masked(masker, value, schema).forward
    assert isinstance(done, Reply)
    assert isinstance(done.result, dict)
    return done.result["structuredContent"]


def shape(text: str) -> str:
    return "".join(
        "9" if char.isdecimal() else "A" if char.isupper() else "a" if char.isalpha() else char for char in text
    )


@pytest.mark.parametrize(
    ("entity", "value"),
    [
        ("CREDIT_CARD", PAN),
        ("CREDIT_CARD", "4111-1111-1111-1111"),
        ("CREDIT_CARD", "378282246310005"),
        ("US_SSN", "234-45-6789"),
        ("US_SSN", "234456789"),
        ("PHONE_NUMBER", "+44 20 7946 0958"),
        ("PHONE_NUMBER", "(212) 555-2368"),
        ("PHONE_NUMBER", "1-212-555-2368"),
        ("IBAN_CODE", "GB82 WEST 1234 5698 7654 32"),
        ("BADGE", "Staff-AB12-cd34-9988"),
    ],
)
def test_digits_stay_digits_letters_letters_and_separators_where_they_are(entity: str, value: str) -> None:
    mask = preserved(value, entity, KEY, anything)
    assert mask is not None
    assert mask != value
    assert shape(mask) == shape(value)
    assert preserved(value, entity, KEY, anything) == mask
    assert preserved(value, entity, bytes(32), anything) != mask


def test_the_same_digits_have_the_same_mask_however_they_are_grouped() -> None:
    plain, dashed = (preserved(text, "CREDIT_CARD", KEY, anything) for text in (compact(PAN), PAN.replace(" ", "-")))
    assert plain is not None
    assert dashed is not None
    assert compact(dashed) == plain


@given(st.integers(10**15, 10**16 - 1))
def test_a_masked_card_is_nobodys_card(number: int) -> None:
    mask = preserved(str(number), "CREDIT_CARD", KEY, anything)
    assert mask is not None
    assert not luhn_holds(mask)
    assert mask[0] != "0"


@given(st.integers(0, 10**9 - 1))
def test_a_masked_ssn_is_of_a_number_that_was_never_given_out(number: int) -> None:
    mask = preserved(f"{number:09}", "US_SSN", KEY, anything)
    assert mask is not None
    assert mask[0] == "9"
    assert int(mask[3:5]) < 50


@given(st.ip_addresses())
def test_a_masked_address_is_of_a_reserved_range(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    mask = preserved(str(address), "IP_ADDRESS", KEY, anything)
    assert mask is not None
    found = ipaddress.ip_address(mask)
    assert found.version == address.version
    assert found.is_reserved if found.version == 4 else found in ipaddress.ip_network("2001:db8::/32")


def test_a_masked_mail_address_is_one_of_nobody() -> None:
    mask = preserved("bob@example.com", "EMAIL_ADDRESS", KEY, anything)
    assert mask is not None
    assert mask.endswith("@masked.example")
    assert preserved("bob%40example.com", "EMAIL_ADDRESS", KEY, anything) != mask.replace("@", "%40")


def test_a_masked_telephone_number_is_of_no_country_or_of_fiction() -> None:
    assert (preserved("+1 212 555 2368", "PHONE_NUMBER", KEY, anything) or "").startswith("+9 99")
    assert "555-01" in (preserved("(212) 867-5309", "PHONE_NUMBER", KEY, anything) or "")


@pytest.mark.parametrize(
    ("entity", "value"),
    [
        ("PHONE_NUMBER", "867-5309"),
        ("PHONE_NUMBER", "020 7946 0958"),
        ("PHONE_NUMBER", "212 555 2368 x12"),
        ("US_SSN", "23445678"),
        ("BADGE", "AB-12"),
        ("EMAIL_ADDRESS", "bob"),
        ("IP_ADDRESS", "10.0.0.0/8"),
        ("MAC_ADDRESS", "00:1A"),
        ("IBAN_CODE", "DE00 0000"),
        ("CREDIT_CARD", "4111"),
        ("BADGE", "x" * 65),
    ],
)
def test_what_is_too_short_or_of_another_form_has_the_ordinary_mask(masker: Masker, entity: str, value: str) -> None:
    assert preserved(value, entity, KEY, anything) is None


@pytest.mark.parametrize(
    "value",
    [
        "234-45-6789",
        "bob@example.com",
        "10.1.2.3",
        "2001:4860:4860::8888",
        "00:1A:2B:3C:4D:5E",
        "+1 212 555 2368",
        "(212) 867-5309",
        "GB82 WEST 1234 5698 7654 32",
        f"{PAN}, 234-45-6789 and bob@example.com at 10.1.2.3 (212) 867-5309",
        {"card": "4111 1111 1111 1112", "phone": "+44 20 7946 0958", "badge": "Staff-AB12-cd34-9988", "ssn": 234456789},
        {"card": 4111111111111111, "mail": "bob@localhost", "phone": 2128675309},
        {"bob@example.com": '{"ssn": 234456789, "deep": "10.1.2.3"}'},
    ],
)
def test_masking_a_mask_that_looks_like_a_value_changes_nothing(masker: Masker, value: Json) -> None:
    first = masked(masker, value)
    assert first.findings
    again = asyncio.run(masker.mask(first.forward, server="crm"))
    assert again.forward == first.forward
    assert again.findings == ()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text("0123456789 -", max_size=24),
            st.from_regex(r"[1-8]\d{2}-[1-9]\d-[1-9]\d{3}", fullmatch=True),
            st.emails(),
            st.ip_addresses().map(str),
            st.sampled_from(["ssn", "card", "account", "phone", "passport"]),
        ),
        max_size=6,
    ).map(" ".join)
)
def test_masking_is_idempotent_whatever_stands_side_by_side(masker: Masker, text: str) -> None:
    once = masker.keep_text(text)
    assert masker.keep_text(once) == once


def test_masks_that_make_ever_new_matches_beside_each_other_give_way(masker: Masker) -> None:
    kept = masker.keep_text("219-62-5155-00:1A:2B:3C:4D:88")
    assert "219-62-5155" not in kept
    assert masker.keep_text(kept) == kept


def test_a_number_stays_a_number_of_as_many_digits(masker: Masker) -> None:
    found = told(masker, {"ssn": 234456789, "card": -4111111111111111, "phone": 2128675309, "badge": 123456789012})
    assert isinstance(found, dict)
    assert [len(str(abs(value))) for value in found.values() if isinstance(value, int)] == [9, 16, 10, 12]
    assert isinstance(found["card"], int)
    assert found["card"] < 0
    assert 234456789 not in found.values()


def test_a_number_without_room_for_a_form_is_0_as_before(masker: Masker) -> None:
    assert told(masker, {"badge": 4711, "phone": 8675309}) == {"badge": 0, "phone": 0}


def test_a_real_card_a_real_account_and_a_netmask_are_no_masks(masker: Masker) -> None:
    assert masker.keep_text("4012888888881881") != "4012888888881881"
    # Nine digits that can be no SSN may well be an account.
    assert (
        masker.keep_text("bank account 912345678")
        == "bank account <US_BANK_NUMBER_" + masker.keep_text("bank account 912345678").partition("<US_BANK_NUMBER_")[2]
    )
    assert "255.255.255.0" not in masker.keep_text("netmask 255.255.255.0")


def test_an_address_of_the_reserved_range_that_no_mask_has_is_found(masker: Masker) -> None:
    found = [f"{first}.{number}.7.9" for first in range(240, 255) for number in range(20)]
    kept = [masker.keep_text(address) for address in found]
    # One in 256 is taken for a mask: of three hundred, one or two.
    assert sum(before == after for before, after in zip(found, kept, strict=True)) < 10


def test_a_mask_under_another_key_is_no_mask(masker: Masker) -> None:
    other = preserved("bob@example.com", "EMAIL_ADDRESS", bytes(32), anything)
    assert other is not None
    assert not form_of("EMAIL_ADDRESS")[1](other, KEY)
    assert told(masker, {"mail": other}) != {"mail": other}


def test_what_is_issued_is_the_mask_and_its_value(masker: Masker) -> None:
    done = masked(masker, {"card": 4111111111111111, "mail": "bob@example.com", "ssn": 234456789})
    values = {one.value: one.token for one in done.issued}
    assert set(values) == {"4111111111111111", "bob@example.com"}  # nine digits are an SSN by their place alone
    assert values["4111111111111111"].isdecimal()
    assert isinstance(done.forward, Reply)
    assert values["bob@example.com"] in str(done.forward.result)


def test_in_a_call_to_the_server_nothing_is_issued(masker: Masker) -> None:
    call = Call("tools/call", {"name": "x", "arguments": {"ssn": 234456789}}, 1, Direction.TO_SERVER)
    assert asyncio.run(masker.mask(call, server="crm")).issued == ()

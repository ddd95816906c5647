"""Masks in the form of a value stay as they are, whatever form they have and whatever name stands over them."""

import dataclasses
import random
import string
from collections.abc import Callable

from tests.live.harness.warm import masker_of
from tests.masking.conftest import KEY
from tests.masking.test_preserving import told

from holdfast.jsontext import JsonObject
from holdfast.masking.entries import EntityRule, MaskingRules
from holdfast.masking.masker import Masker


def shipped_in_the_form_of_values(rules: MaskingRules) -> Masker:
    """The shipped rules, but every entity has a mask in the form of its value."""

    def all_of(entities: tuple[EntityRule, ...]) -> tuple[EntityRule, ...]:
        return tuple(
            dataclasses.replace(rule, operator="pseudonym", format="preserve", forward="both") for rule in entities
        )

    in_force = dataclasses.replace(rules.in_force, entities=all_of(rules.in_force.entities))
    return masker_of(dataclasses.replace(rules, entities=all_of(rules.entities), in_force=in_force, overrides=()), KEY)


def like(dice: random.Random, form: str) -> str:
    """``form`` with another digit for each 9, a hex digit for each h, a letter for each a."""
    chars = {"9": string.digits, "h": "0123456789abcdef", "a": string.ascii_letters}
    return "".join(dice.choice(chars[char]) if char in chars else char for char in form)


def numbers(dice: random.Random) -> str:
    return ".".join(str(dice.randrange(256)) for _ in range(4))


FORMS = [
    *(
        "9999999",
        "999999999",
        "999999999999",
        "4999999999999999",
        "4999 9999 9999 9999",
        "999-99-9999",
        "+49 99 9999 9999",
    ),
    *(
        "(999) 999-9999",
        "1-999-999-9999",
        "+999999999999",
        "aaaa@aaaa.com",
        "hh:hh:hh:hh:hh:hh",
        "DE99999999999999999999",
    ),
    *(
        "aaaa999999999999",
        "bank account 999999999999",
        "aaa-9999-aaaa",
        "900-19-9999",
        "212 555 0199",
        "2001:hhhh::hhhh",
    ),
]
NAMES = [
    *("card", "ssn", "phone", "email", "note", "account_number", "iban", "passport", "dob", "token", "password", "mrn"),
    *("npi", "cvv", "tax_id", "licensePlate", "zip", "address", "firstName", "x"),
]


def test_a_mask_of_one_form_is_none_of_another_wherever_it_stands(shipped_rules: MaskingRules) -> None:
    """A card's name over an address of a machine, whose mask has the twelve digits that the rule for cards asks for."""
    masker = shipped_in_the_form_of_values(shipped_rules)
    dice = random.Random(174)
    make: list[Callable[[], str]] = [lambda: like(dice, dice.choice(FORMS)), lambda: numbers(dice)]
    for _ in range(400):
        value: JsonObject = {name: dice.choice(make)() for name in dice.sample(NAMES, 4)}
        value["n"] = int(like(dice, "1" + "9" * dice.randrange(7, 18)))
        value["t"] = " ".join(dice.choice(make)() for _ in range(3))
        once = told(masker, value)
        assert told(masker, once) == once, value
    for _ in range(300):
        once = told(masker, {"card": numbers(dice)})
        assert told(masker, once) == once


def test_what_a_mask_leaves_of_a_value_is_no_value_of_another_kind(shipped_rules: MaskingRules) -> None:
    masker = masker_of(shipped_rules, KEY)
    once = masker.keep_json({"firstName": "bank account 752621358472", "patient": "Ada, SSN 234-45-6789"})
    assert "752621358472" not in str(once)
    assert masker.keep_json(once) == once
    assert masker.keep_json({"ssn": "234456789 <US_ITIN>", "password": "hunter2 <US_SSN>"}) == {
        "ssn": "<US_SSN>",
        "password": "<PASSWORD>",
    }


def test_what_is_left_of_a_card_under_the_name_of_a_secret_is_a_mask_of_it(masker: Masker) -> None:
    once = told(masker, {"token": "4111 1111 1111 1111", "password": "********"})
    assert once == {"token": "************1111", "password": "********"}
    assert told(masker, once) == once
    for card in ('"4111 1111 1111 1111"', "id:4111 1111 1111 1111", "4111-1111-1111-1111/x"):
        once = told(masker, {"token": card})
        assert told(masker, once) == once
    assert told(masker, {"token": "***1111a", "password": "*1111"}) == {"token": "<API_KEY>", "password": "<PASSWORD>"}

"""Checksums against numbers that their own authorities publish as examples."""

import pytest

from holdfast.masking.checksums import CHECKS, Validator

# ISO/IEC 7812 test cards; the IBAN registry's examples; CMS's NPI example; a DEA number that is widely printed as one.
HOLDS: dict[Validator, list[str]] = {
    "luhn": ["4111-1111-1111-1111", "5555 5555 5555 4444"],
    "iban": ["DE89370400440532013000", "gb29 nwbk 6016 1331 9268 19", "NO9386011117947"],
    "npi": ["1234567893"],
    "dea": ["BB1388568"],
    "mixed": ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
    "entropy": ["5f4dcc3b5aa765d61d8327deb882cf99", "k8s7d6f5g4h3j2k1l0"],
    "phrase": ["correct horse battery staple", "tidepool", "Blue Kettle Lantern"],
}
FAILS: dict[Validator, list[str]] = {
    "luhn": ["4111-1111-1111-1112", "none"],
    "iban": ["DE89370400440532013001", "NO938601111794", "DE89 3704 0044 0532 0130 0\u0660"],
    "npi": ["1234567894", "none"],
    "dea": ["BB1388569", "BB138856", ""],
    "mixed": ["3f786850e387550fdab836ed7e6dc881de23001b", "ALLCAPITALS12", "noDigits", ""],
    "entropy": ["exampleexampleexample", "aaaaaaaaaaaaaaaa1111", "version-2-of-it", "1234567890123456", ""],
    "phrase": ["required", "changed by Ada", "must be long", "nicht richtig", "correct", "too short", "expired", ""],
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_checksum_holds_for_what_is_one_and_for_nothing_else(name: Validator) -> None:
    assert all(CHECKS[name](text) for text in HOLDS[name])
    assert not any(CHECKS[name](text) for text in FAILS[name])


@pytest.mark.parametrize("name", ["luhn", "iban", "npi", "dea"])
def test_one_changed_digit_breaks_it(name: Validator) -> None:
    text = HOLDS[name][0]
    for at, char in enumerate(text):
        if char.isdigit():
            changed = text[:at] + str((int(char) + 1) % 10) + text[at + 1 :]
            assert not CHECKS[name](changed), changed

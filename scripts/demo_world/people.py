"""The made-up customers, and every value of theirs that must never be kept.

Nobody here exists. Cards are test numbers that payment providers publish, SSNs are specimens that were printed in
advertisements and are void, e-mails end in example.com (RFC 2606), IBANs are published examples and valid in form.
None of these values stands in the shipped rules: those carry examples of their own, and the ledger keeps the rules.
"""

import dataclasses
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True)
class Customer:
    """One row of the customers table."""

    customer_id: str
    name: str
    country: str
    email: str
    card: str
    ssn: str
    iban: str
    note: str
    score: int

    def raw_values(self) -> tuple[str, ...]:
        """The values that masking must remove wherever they turn up."""
        return (self.email, self.card, self.ssn, self.iban)


CUSTOMERS: Final = (
    Customer(
        "C-1001",
        "Mara Lindqvist",
        "SE",
        "mara.lindqvist@example.com",
        "4000 0566 5566 5556",
        "219-09-9999",
        "ES79 2100 0813 6101 2345 6789",
        "Wrote from mara.lindqvist@example.com, paid with 4000-0566-5566-5556, was refunded.",
        712,
    ),
    Customer(
        "C-1002",
        "Tobias Okafor",
        "DE",
        "tobias.okafor@example.com",
        "5200 8282 8282 8210",
        "457-55-5462",
        "GB33 BUKB 2020 1555 5555 55",
        '{"ticket": 88, "contact": "tobias.okafor@example.com"}',
        655,
    ),
    Customer(
        "C-1003",
        "Inês Carvalho",
        "PT",
        "ines.carvalho@example.com",
        "3714 496353 98431",
        "306-30-2348",
        "BE71 0961 2345 6769",
        "Prefers letters. Identity checked by SSN 306-30-2348.",
        801,
    ),
    Customer(
        "C-1004",
        "Pavel Dvořák",
        "CZ",
        "pavel.dvorak@example.com",
        "6011 0009 9013 9424",
        "212-09-7694",
        "NL02 ABNA 0123 4567 89",
        "Moved. Old account NL02ABNA0123456789 is to be closed.",
        590,
    ),
)

KINDS: Final = ("e-mail", "card", "SSN", "IBAN")  # as raw_values() orders them
DOOMED: Final = "C-1004"  # the customer whose deletion is approved

# What an agent types into an argument: it must be masked in what is kept about the Call, too.
TYPED_CARD: Final = "4242 4242 4242 4242"
TYPED_EMAIL: Final = "whistle.blower@example.com"


@dataclasses.dataclass(frozen=True, slots=True)
class Planted:
    """A raw value and what to call it in public."""

    label: str
    text: str


def planted_values() -> tuple[Planted, ...]:
    """Every raw value that stands in the database or that an agent of the demo sends."""
    stored = [
        Planted(f"{label} of {customer.customer_id}", text)
        for customer in CUSTOMERS
        for label, text in zip(KINDS, customer.raw_values(), strict=True)
    ]
    return (*stored, Planted("card typed by the agent", TYPED_CARD), Planted("e-mail typed by the agent", TYPED_EMAIL))

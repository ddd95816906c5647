"""Names and places: with a model, and without one by the members that hold them."""

import asyncio
import json
import re
from pathlib import Path

import pytest
import spacy
from tests.masking.conftest import KEY, RULES_PATH
from tests.masking.tiny_model import train

from holdfast.call import Direction, Reply
from holdfast.jsontext import Json
from holdfast.masking.entries import MaskingRules
from holdfast.masking.finding import Masked
from holdfast.masking.masker import Masker
from holdfast.masking.prefilter import AT_ONCE
from holdfast.masking.rules import parse_masking
from holdfast.policy.beside import Beside
from holdfast.policy.document import Source, parse_document


def shipped_with(*changes: tuple[str, str]) -> MaskingRules:
    text = RULES_PATH.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_masking(parse_document(Source("masking.yaml", text.encode())), Beside(RULES_PATH.parent))


def masked(masker: Masker, value: Json) -> Masked:
    reply = Reply(1, {"structuredContent": value}, None, Direction.TO_CLIENT)
    return asyncio.run(masker.mask(reply, server="s"))


def seen(found: Masked) -> tuple[Json, Json]:
    """What was kept, and what was forwarded."""
    pair = [message.to_json()["result"] for message in (found.keep, found.forward)]
    kept, forwarded = (value["structuredContent"] if isinstance(value, dict) else None for value in pair)
    return kept, forwarded


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def learned(model: Path) -> Masker:
    return Masker(shipped_with(("profile: all", f"profile: hipaa\nnlp: {{spacy_model: {model}}}")), KEY)


def test_a_trained_model_masks_names_and_places_in_running_text(learned: Masker) -> None:
    text = "Yesterday Grace Hopper called from Lisbon . The order has number 234-45-6789 ."
    kept, forwarded = seen(masked(learned, {"note": text}))
    assert kept == {"note": "Yesterday <PERSON> called from <LOCATION> . The order has number <US_SSN> ."}
    assert forwarded == kept


def test_a_trained_model_leaves_other_text_alone_and_says_who_found_what(learned: Masker) -> None:
    assert masked(learned, {"note": "Restart the server before noon ."}).findings == ()
    found = masked(learned, {"note": "We met Rosa Parks near Utrecht in spring ."}).findings
    assert [(one.entity, one.length, one.path) for one in found] == [
        ("PERSON", 10, "/result/structuredContent/note"),
        ("LOCATION", 7, "/result/structuredContent/note"),
    ]


def test_what_finds_is_named_with_its_model_wherever_that_lies(learned: Masker, masker: Masker) -> None:
    said = learned.equipment().to_json()
    assert said["scan"] == "none"
    assert said["model"] == {"name": "en_pipeline", "version": "0.0.0"}
    assert "spacy" in learned.equipment().versions
    assert masker.equipment().scan in ("hyperscan", "re2")
    assert masker.equipment().model is None
    assert "model" not in masker.equipment().to_json()


def test_without_hipaa_the_model_s_places_are_not_regulated(model: Path) -> None:
    masker = Masker(shipped_with(("profile: all", f"profile: gdpr\nnlp: {{spacy_model: {model}}}")), KEY)
    kept, _ = seen(masked(masker, {"note": "Yesterday Grace Hopper called from Lisbon ."}))
    assert kept == {"note": "Yesterday <PERSON> called from Lisbon ."}


PEOPLE: list[tuple[Json, Json]] = [
    ({"first_name": "Ada"}, {"first_name": "<PERSON>"}),
    ({"customer": {"id": 7, "name": "Ada Lovelace"}}, {"customer": {"id": 7, "name": "<PERSON>"}}),
    ({"customers": [{"name": "Ada"}]}, {"customers": [{"name": "<PERSON>"}]}),
    ({"patient": {"name": [{"family": "Lovelace", "given": ["Ada"]}]}},
     {"patient": {"name": [{"family": "<PERSON>", "given": ["<PERSON>"]}]}}),
    ({"address": {"line1": "12 Elm Street", "postal_code": "1016 EA"}},
     {"address": {"line1": "<ADDRESS>", "postal_code": "<ADDRESS>"}}),
    ({"shippingAddress": "12 Elm Street\nGreenville"}, {"shippingAddress": "<ADDRESS>"}),
    ({"addr": "12 Elm Court, Greenville"}, {"addr": "<ADDRESS>"}),
    ({"kontoinhaber": "Ada Lovelace", "nombre_completo": "Ada Lovelace"},
     {"kontoinhaber": "<PERSON>", "nombre_completo": "<PERSON>"}),
]  # fmt: skip
NOBODY: list[Json] = [
    {"name": "get_customer"},
    {"tool": {"name": "Ada"}},
    {"file": {"name": "report.txt"}},
    {"username": "ada"},
    {"address": "0x00ff"},
    {"server": {"address": "db.internal:5432"}},
    {"zip": "archive.zip"},
    {"fontFamily": "Serif"},
    {"lastNameIndex": 12},
    {"city": "Lisbon"},
    {"addr": "db.internal:5432", "mac_addr": "12 ab cd"},
    {"name": "Build And Test", "version": "1.2"},
]


@pytest.mark.parametrize(("value", "expected"), PEOPLE, ids=lambda value: json.dumps(value)[:40])
def test_names_and_addresses_are_known_by_their_members(masker: Masker, value: Json, expected: Json) -> None:
    kept, forwarded = seen(masked(masker, value))
    assert kept == expected
    assert forwarded == value  # the shipped rules let tools work on them


@pytest.mark.parametrize("value", NOBODY, ids=json.dumps)
def test_other_members_are_nobody_s_name(masker: Masker, value: Json) -> None:
    assert masked(masker, value).findings == ()


BESIDE: list[tuple[str, str]] = [
    ("id,name,email\n1,Ada Lovelace,ada@example.com\n", "id,name,email\n1,<PERSON>,<EMAIL_ADDRESS>\n"),
    ("| Name | Mobile |\n|---|---|\n| Ada Lovelace | none |", "| Name | Mobile |\n|---|---|\n| <PERSON> | none |"),
    ("INSERT INTO t (name, dob) VALUES ('Ada Lovelace', '')", "INSERT INTO t (name, dob) VALUES ('<PERSON>', '')"),
    ("<tr><th>name</th><th>email</th></tr><tr><td>Ada Lovelace</td><td></td></tr>",
     "<tr><th>name</th><th>email</th></tr><tr><td><PERSON></td><td></td></tr>"),
    ("name email\nAda ada@example.com\n", "name email\n<PERSON> <EMAIL_ADDRESS>\n"),
    ("Name: Ada Lovelace\nEmail: none", "Name: <PERSON>\nEmail: none"),
    ("- name: Ada Lovelace\n  born: never", "- name: <PERSON>\n  born: never"),
    ("{ name: 'Ada Lovelace', phone: '' }", "{ name: '<PERSON>', phone: '' }"),
    ("Reviewed-by: Ada Lovelace <ada@example.com>", "Reviewed-by: <PERSON> <<EMAIL_ADDRESS>>"),
    ("[(1, 'Ada Lovelace', 'ada@example.com')]", "[(1, '<PERSON>', '<EMAIL_ADDRESS>')]"),
    ("Nome e cognome: Ada Lovelace", "Nome e cognome: <PERSON>"),
    ("Employee: Ada Lovelace (E123)", "Employee: <PERSON> (E123)"),
    ("Patientennummer: 4711234", "Patientennummer: <MEDICAL_RECORD>"),
    ("Student name: Lovelace, Ada", "Student name: <PERSON>"),
    ("Indirizzo: Via dei Platani 89, 70122 Bari", "Indirizzo: <ADDRESS>"),
    ("-[ RECORD 1 ]\nfull_name | Ada Lovelace\nmrn | none", "-[ RECORD 1 ]\nfull_name | <PERSON>\nmrn | none"),
]  # fmt: skip
TOOLS: list[str] = [
    "name,version\nada lovelace,1.2\n",
    "Name: Ada Lovelace\nVersion: 1.2",
    "name: Build and Test\non: push",
    "Contact: support desk\nAddress: 127.0.0.1#53",
]


@pytest.mark.parametrize(("text", "expected"), BESIDE)
def test_a_name_beside_what_persons_have_is_a_person_s(masker: Masker, text: str, expected: str) -> None:
    assert re.sub(r"(?<=EMAIL_ADDRESS)_[0-9a-f]{12}", "", masker.keep_text(text)) == expected


@pytest.mark.parametrize("text", TOOLS)
def test_a_name_beside_what_tools_have_is_nobody_s(masker: Masker, text: str) -> None:
    assert not {"PERSON", "ADDRESS"} & {one.entity for one in masked(masker, {"text": text}).findings}


def test_members_beside_what_only_persons_have_name_one(masker: Masker) -> None:
    kept, _ = seen(masked(masker, [{"name": "Ada Lovelace", "dob": "1980-02-29"}, {"name": "Acme Ltd", "phone": "1"}]))
    assert kept == [{"name": "<PERSON>", "dob": "<DATE_OF_BIRTH>"}, {"name": "Acme Ltd", "phone": "1"}]


def test_the_rest_of_a_name_says_that_a_foreign_word_for_it_is_a_person_s(masker: Masker) -> None:
    kept, _ = seen(masked(masker, [{"nombre": "Ada", "apellidos": "Lovelace"}, {"nombre": "Ada"}]))
    assert kept == [{"nombre": "<PERSON>", "apellidos": "<PERSON>"}, {"nombre": "Ada"}]


def test_what_a_proof_is_says_what_its_number_is(masker: Masker) -> None:
    kept, _ = seen(
        masked(masker, {"doc": {"type": "passport", "number": "X1234567"}, "idType": "ssn", "idNumber": "7"})
    )
    assert kept == {"doc": {"type": "passport", "number": "<US_PASSPORT>"}, "idType": "ssn", "idNumber": "7"}


def test_a_profile_about_people_hides_names_from_the_client_too() -> None:
    masker = Masker(shipped_with(("profile: all", "profile: gdpr")), KEY, prefilter=AT_ONCE)
    _, forwarded = seen(masked(masker, {"customer": {"name": "Ada Lovelace"}}))
    assert forwarded == {"customer": {"name": "<PERSON>"}}


@pytest.fixture(scope="module")
def misled(tmp_path_factory: pytest.TempPathFactory) -> Masker:
    """Reads names, and the signs of a mask as parts of one."""
    model = spacy.blank("en")
    ruler = model.add_pipe("entity_ruler")
    ruler.add_patterns([  # type: ignore[attr-defined] # of the pipe, which spaCy types as any callable
        {"label": "PERSON", "pattern": [{"ORTH": "Grace"}, {"ORTH": "Hopper"}]},
        {"label": "PERSON", "pattern": [{"ORTH": "Rosa"}, {"ORTH": "<"}]},
        {"label": "PERSON", "pattern": [{"TEXT": {"REGEX": "PERSON$"}}, {"ORTH": ">"}, {"IS_ALPHA": True}]},
        {"label": "PERSON", "pattern": [{"ORTH": ">"}, {"IS_ALPHA": True}]},
        {"label": "GPE", "pattern": "Lisbon"},
    ])  # fmt: skip
    folder = tmp_path_factory.mktemp("misled") / "model"
    model.to_disk(folder)
    return Masker(shipped_with(("profile: all", f"profile: hipaa\nnlp: {{spacy_model: {folder}}}")), KEY)


def test_a_model_has_no_say_about_what_masks_make_of_the_words_beside_them(misled: Masker) -> None:
    kept, forwarded = seen(masked(misled, {"note": "Yesterday Grace Hopper called from Lisbon and left again"}))
    assert kept == forwarded == {"note": "Yesterday <PERSON> called from <LOCATION> and left again"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("So <PERSON> Ada came", "So <PERSON> <PERSON> came"),
        ("So Rosa <PERSON> came", "So <PERSON> <PERSON> <PERSON>"),
        ("So Rosa <PERSON>", "So <PERSON> <PERSON>"),
    ],
)
def test_what_a_model_takes_for_a_name_around_a_mask_that_a_text_came_with_is_masked_without_it(
    misled: Masker, text: str, expected: str
) -> None:
    assert seen(masked(misled, {"note": text}))[0] == {"note": expected}

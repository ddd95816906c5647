"""Profiles and overrides: what is regulated where."""

import asyncio
from pathlib import Path

import pytest
from tests.masking.conftest import KEY, RULES_PATH

from holdfast.call import Call, Direction, Message, Reply
from holdfast.errors import RulesError
from holdfast.jsontext import Json
from holdfast.masking.entries import MaskingRules
from holdfast.masking.finding import Masked
from holdfast.masking.masker import Masker
from holdfast.masking.rules import parse_masking
from holdfast.policy.beside import Beside
from holdfast.policy.document import Source, parse_document

CARD = "4111 1111 1111 1111"
SSN = "234-45-6789"
MAIL = "bob@example.com"
TEXT = f"{CARD} and {SSN} and {MAIL}"
ENTITIES = "entities:\n- {entity: CREDIT_CARD}\n- {entity: US_SSN}\n- {entity: EMAIL_ADDRESS, enabled: false}\n"
CARDS = "version: 1\ndescription: cards\nentities: [CREDIT_CARD]\n"


def rules_in(folder: Path, main: str, **profiles: str) -> MaskingRules:
    (folder / "profiles").mkdir(exist_ok=True)
    for name, text in profiles.items():
        (folder / "profiles" / f"{name}.yaml").write_text(text)
    return parse_masking(parse_document(Source("masking.yaml", f"version: 1\n{main}".encode())), Beside(folder))


def masked(masker: Masker, message: Message, server: str = "s", tool: str | None = None) -> Masked:
    return asyncio.run(masker.mask(message, server=server, tool=tool))


def reply(text: Json) -> Reply:
    return Reply(1, {"structuredContent": text}, None, Direction.TO_CLIENT)


def call(tool: str, text: str) -> Call:
    return Call("tools/call", {"name": tool, "arguments": {"text": text}}, 1, Direction.TO_SERVER)


def kept(found: Masked) -> Json:
    result = found.keep.to_json()["result"]
    assert isinstance(result, dict)
    return result["structuredContent"]


def test_a_profile_keeps_unmasked_what_it_does_not_regulate(tmp_path: Path) -> None:
    masker = Masker(rules_in(tmp_path, ENTITIES + "profile: cards\n", cards=CARDS), KEY)
    assert kept(masked(masker, reply(TEXT))) == f"<CREDIT_CARD> and {SSN} and {MAIL}"


def test_without_a_profile_everything_that_is_enabled_is_regulated(tmp_path: Path) -> None:
    masker = Masker(rules_in(tmp_path, ENTITIES), KEY)
    assert kept(masked(masker, reply(TEXT))) == f"<CREDIT_CARD> and <US_SSN> and {MAIL}"


def test_a_profile_can_ask_for_what_the_file_has_off(tmp_path: Path) -> None:
    mail = "version: 1\ndescription: mail\nentities: [EMAIL_ADDRESS]\n"
    masker = Masker(rules_in(tmp_path, ENTITIES + "profile: mail\n", mail=mail), KEY)
    assert kept(masked(masker, reply(TEXT))) == f"{CARD} and {SSN} and <EMAIL_ADDRESS>"


def test_a_profile_changes_how_values_are_treated(tmp_path: Path) -> None:
    text = "version: 1\ndescription: d\nothers: true\nchanges:\n- {entity: CREDIT_CARD, operator: keep_last}\n"
    text += "- {entity: US_SSN, enabled: false}\n"
    masker = Masker(rules_in(tmp_path, ENTITIES + "profile: mine\n", mine=text), KEY)
    assert kept(masked(masker, reply(TEXT))) == f"************1111 and {SSN} and {MAIL}"


def test_key_rules_act_only_where_their_entity_is_regulated(tmp_path: Path) -> None:
    main = ENTITIES + "keys:\n- {id: k, entity: US_SSN, names: [ssn]}\nprofile: cards\n"
    main += "overrides:\n- {id: o, server: hr, profile: all}\n"
    masker = Masker(rules_in(tmp_path, main, cards=CARDS), KEY)
    assert kept(masked(masker, reply({"ssn": "12"}))) == {"ssn": "12"}
    assert kept(masked(masker, reply({"ssn": "12"}), server="hr")) == {"ssn": "<US_SSN>"}


OVERRIDES = """\
profile: cards
overrides:
- {id: health, server: clinic*, profile: all}
- {id: lookup, server: crm, tool: find_*, direction: to_server, changes: [{entity: CREDIT_CARD, enabled: false}]}
- {id: crm, server: crm, profile: all, changes: [{entity: EMAIL_ADDRESS, operator: remove}]}
"""


@pytest.fixture(scope="module")
def overriding(tmp_path_factory: pytest.TempPathFactory) -> Masker:
    return Masker(rules_in(tmp_path_factory.mktemp("rules"), ENTITIES + OVERRIDES, cards=CARDS), KEY)


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("other", f"<CREDIT_CARD> and {SSN} and {MAIL}"),
        ("clinic-2", f"<CREDIT_CARD> and <US_SSN> and {MAIL}"),
        ("crm", "<CREDIT_CARD> and <US_SSN> and "),
    ],
)
def test_the_first_override_about_a_message_decides(overriding: Masker, server: str, expected: str) -> None:
    assert kept(masked(overriding, reply(TEXT), server)) == expected


def test_an_override_for_a_tool_holds_for_its_calls_in_its_direction_only(overriding: Masker) -> None:
    assert masked(overriding, call("find_card", TEXT), "crm").findings == ()
    assert len(masked(overriding, call("drop_card", TEXT), "crm").findings) == 3
    assert len(masked(overriding, reply(TEXT), "crm", "find_card").findings) == 3


def test_a_text_of_no_message_is_masked_by_all_that_is_regulated_anywhere(overriding: Masker) -> None:
    assert overriding.keep_text(TEXT) == "<CREDIT_CARD> and <US_SSN> and <EMAIL_ADDRESS>"


def test_thresholds_are_those_of_the_place(tmp_path: Path) -> None:
    main = "entities: [{entity: CODE}]\npatterns: [{id: p, entity: CODE, regex: 'X[0-9]{4}', score: 0.5}]\n"
    main += "overrides: [{id: strict, server: strict, changes: [{entity: CODE, threshold: 0.6}]}]\n"
    masker = Masker(rules_in(tmp_path, main), KEY)
    assert kept(masked(masker, reply("X1234"))) == "<CODE>"
    assert kept(masked(masker, reply("X1234"), "strict")) == "X1234"


def test_a_telephone_number_inside_a_card_shows_where_cards_are_not_regulated(tmp_path: Path) -> None:
    main = "entities: [{entity: CREDIT_CARD}, {entity: PHONE_NUMBER, context: [phone]}]\n"
    main += "overrides: [{id: o, server: dialler, changes: [{entity: CREDIT_CARD, enabled: false}]}]\n"
    masker = Masker(rules_in(tmp_path, main), KEY)
    text = "phone 2125552368, phone +1 212 555 2368 4111"
    assert "PHONE_NUMBER" in str(kept(masked(masker, reply(text), "dialler")))
    number = "phone 4012888888881881"
    assert [one.entity for one in masked(masker, reply(number)).findings] == ["CREDIT_CARD"]


def test_deny_lists_and_paths_hold_under_every_profile(tmp_path: Path) -> None:
    main = ENTITIES.replace("entities:\n", "entities:\n- {entity: PROJECT}\n") + "profile: cards\n"
    main += "deny: [{id: projects, entity: PROJECT, words: [Bluebird]}]\n"
    main += "paths: [{id: note, entity: PROJECT, action: mask, path: /result/structuredContent/note}]\n"
    masker = Masker(rules_in(tmp_path, main, cards=CARDS), KEY)
    assert kept(masked(masker, reply({"a": "Bluebird " + SSN, "note": "x"}))) == {
        "a": "<PROJECT> " + SSN,
        "note": "<PROJECT>",
    }


@pytest.mark.parametrize(
    ("main", "profile", "file", "line", "words"),
    [
        ("profile: nobody\n", "", "masking.yaml", 6, "profiles/nobody.yaml"),
        ("overrides: [{id: o, server: x}]\n", "", "masking.yaml", 6, "changes nothing"),
        ("overrides: [{id: us-ssn, profile: all}]\n", "", "masking.yaml", 6, "twice"),
        ("overrides: [{id: o, profile: all, direction: up}]\n", "", "masking.yaml", 6, "up"),
        ("overrides: [{id: o, profile: all, colour: red}]\n", "", "masking.yaml", 6, "colour"),
        ("overrides: [{id: o, changes: [{entity: NONE}]}]\n", "", "masking.yaml", 6, "NONE"),
        ("profile: mine\n", "entities: [NONE]\n", "profiles/mine.yaml", 3, "NONE"),
        ("profile: mine\n", "others: false\n", "profiles/mine.yaml", 1, "nothing to mask"),
        ("profile: mine\n", "entities: [US_SSN]\ncolour: red\n", "profiles/mine.yaml", 4, "colour"),
        ("profile: ../profiles/mine\n", "", "masking.yaml", 6, "mine"),
        ("include: [../x.yaml]\n", "", "../x.yaml", 1, "no name"),
        ("include: [more/x.yaml]\n", "", "x.yaml", 1, "cannot be read"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(
    tmp_path: Path, main: str, profile: str, file: str, line: int, words: str
) -> None:
    with pytest.raises(RulesError) as caught:
        rules_in(tmp_path, ENTITIES + main, mine="version: 1\ndescription: d\n" + profile)
    assert (caught.value.file, caught.value.line) == (file, line)
    assert words in str(caught.value)


def test_what_a_file_includes_belongs_to_the_rules_and_is_named_in_errors(tmp_path: Path) -> None:
    (tmp_path / "masking").mkdir()
    part = tmp_path / "masking" / "more.yaml"
    part.write_text("version: 1\nentities: [{entity: CODE}]\npatterns: [{id: p, entity: CODE, regex: 'X[0-9]{4}'}]\n")
    main = ENTITIES + "include: [masking/more.yaml]\n"
    assert kept(masked(Masker(rules_in(tmp_path, main), KEY), reply("X1234"))) == "<CODE>"
    part.write_text("version: 1\nphone_regions: [US]\n")
    with pytest.raises(RulesError, match=r"masking/more\.yaml:2: phone_regions is not known"):
        rules_in(tmp_path, main)


@pytest.mark.parametrize("name", sorted(path.stem for path in (RULES_PATH.parent / "profiles").glob("*.yaml")))
def test_each_shipped_profile_can_be_named(name: str) -> None:
    text = RULES_PATH.read_text().replace("profile: all", f"profile: {name}")
    rules = parse_masking(parse_document(Source("masking.yaml", text.encode())), Beside(RULES_PATH.parent))
    assert rules.in_force.profile == name
    wanted = {"pci": "CREDIT_CARD", "hipaa": "US_MBI", "gdpr": "EMAIL_ADDRESS", "secrets": "API_KEY", "all": "US_SSN"}
    assert wanted[name] in {rule.entity for rule in rules.in_force.entities}
    assert ("CRYPTO" in {rule.entity for rule in rules.entities}) is (name in {"all", "gdpr"})

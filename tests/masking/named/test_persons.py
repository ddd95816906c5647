"""Names of persons that a text gives away by what stands around them: directories, chats, addresses of mail."""

import base64
import re

import pytest
from tests.live.harness.warm import core_of
from tests.masking.conftest import KEY
from tests.masking.named.test_values import kept

from holdfast.call import Direction
from holdfast.jsontext import JsonObject
from holdfast.masking.budget import Budget
from holdfast.masking.entries import MaskingRules
from holdfast.masking.masker import Masker
from holdfast.masking.place import Place

ADA = "Ada Lovelace"


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("dn: cn=a b,dc=x\ncn: a b\nsn: Berg\n", "dn: cn=<PERSON>,dc=x\ncn: <PERSON>\nsn: <PERSON>\n"),
        ("dn: uid=aberg,dc=x\nuid: aberg\nsn: Berg", "dn: uid=<PERSON>,dc=x\nuid: <PERSON>\nsn: <PERSON>"),
        ("dn: uid=root,dc=x\nuid: root\nsn: Berg", "dn: uid=root,dc=x\nuid: root\nsn: <PERSON>"),
        (
            f"# {ADA}, people, x\ndn: cn={ADA},dc=x\r\nobjectClass: inetOrgPerson\r\ncn: {ADA}\r\n",
            "# <PERSON>, people, x\ndn: cn=<PERSON>,dc=x\r\nobjectClass: inetOrgPerson\r\ncn: <PERSON>\r\n",
        ),
        (
            "dn: uid=a,dc=x\ngivenName: Ad\ndisplayName: Ada\n  Berg",
            "dn: uid=a,dc=x\ngivenName: <PERSON>\ndisplayName: <PERSON>",
        ),
        (
            "dn: uid=a,dc=x\nsn: Berg\nhomePostalAddress: 1 Elm$X",
            "dn: uid=a,dc=x\nsn: <PERSON>\nhomePostalAddress: <ADDRESS>",
        ),
        (f"dn: uid=a,dc=x\nsn: Berg\ncn:: {coded('Ada')}\n", "dn: uid=a,dc=x\nsn: <PERSON>\ncn:: <PERSON>\n"),
        (f"dn:: {coded('cn=Ada,dc=x')}\nsn: Berg\n", "dn:: <PERSON>\nsn: <PERSON>\n"),
        (
            f"dn: cn=Domain Admins,dc=x\ncn: Domain Admins\nmember: cn={ADA},ou=people\nmanager: cn=Ada,dc=x\n",
            "dn: cn=Domain Admins,dc=x\ncn: Domain Admins\nmember: cn=<PERSON>,ou=people\nmanager: cn=<PERSON>,dc=x\n",
        ),
        ("cn: a b\nsn: Berg\n", "cn: a b\nsn: Berg\n"),
    ],
)
def test_an_entry_of_a_directory_that_is_a_person_has_no_name(masker: Masker, text: str, masked: str) -> None:
    assert kept(masker, text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            f"[12/03/2024, 09:14] {ADA}: hi\n[12/03/2024, 09:15] Bo: x\n",
            "[12/03/2024, 09:14] <PERSON>: hi\n[12/03/2024, 09:15] <PERSON>: x\n",
        ),
        (
            "12/03/2024, 09:14 - Bo: hi\n12/03/2024, 09:15 - You left\n",
            "12/03/2024, 09:14 - <PERSON>: hi\n12/03/2024, 09:15 - You left\n",
        ),
        ("3/12/24, 9:14 AM - ~ Bo: hi\nx\n", "3/12/24, 9:14 AM - ~ <PERSON>: hi\nx\n"),
        (f"[9:14 AM] {ADA}: hi\nx\n", "[9:14 AM] <PERSON>: hi\nx\n"),
        (f"{ADA}  9:14 AM\nhi\n", "<PERSON>  9:14 AM\nhi\n"),
        (f"{ADA} [09:14]\nhi\n", "<PERSON> [09:14]\nhi\n"),
        (f"09:14:22 From {ADA} to Everyone: hi\nx\n", "09:14:22 From <PERSON> to Everyone: hi\nx\n"),
        (f"00:01.000 --> 00:02.000\n<v {ADA}>hi</v>\n", "00:01.000 --> 00:02.000\n<v <PERSON>>hi</v>\n"),
    ],
)
def test_who_speaks_in_a_chat_has_no_name(masker: Masker, text: str, masked: str) -> None:
    assert kept(masker, text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "[12/03/2024, 09:14:22] Error: x\n[12/03/2024, 09:14:23] Ready: x\n",
        "12/03/2024, 09:14 - Warning: x\n12/03/2024, 09:14 - Copying: x\n",
        "[09:14:22] Copied Files: x\n[09:14] Build Task: x\n",
        "Team Meeting  9:14 AM\nbring cake\n",
        f"{ADA}  9:14 AM\nBo Berg  9:15 AM\n",
        "09:14:22 From Server to Client: x\n<v 1>\n",
    ],
)
def test_a_log_or_an_agenda_is_no_chat(masker: Masker, text: str) -> None:
    assert kept(masker, text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            f"Alert for {ADA}\nPatient: {ADA}\n{ADA}, {ADA}.",
            "Alert for <PERSON>\nPatient: <PERSON>\n<PERSON>, <PERSON>.",
        ),
        (f"Patient: {ADA}\n{ADA}s x{ADA} Ada", f"Patient: <PERSON>\n{ADA}s x{ADA} Ada"),
        ("First name: Ada\nAda", "First name: <PERSON>\nAda"),
    ],
)
def test_a_name_that_a_label_tells_is_one_wherever_it_stands(masker: Masker, text: str, masked: str) -> None:
    assert kept(masker, text) == masked


def test_what_is_found_is_told_in_the_order_of_the_text(shipped_rules: MaskingRules) -> None:
    walk = core_of(shipped_rules, KEY).walk("", None, Direction.TO_CLIENT, Budget())
    text = f"for {ADA}\nPatient: {ADA}\n\nemail,password\nbob@example.com,hunter2Blue!9\nbob@example.com,x\n{ADA}"
    starts = [span.start for span in walk.spans(text, "", Place("/x"))]
    assert len(starts) > 4
    assert starts == sorted(starts)


def test_however_many_names_a_text_tells_each_is_one_wherever_it_stands(masker: Masker) -> None:
    names = [f"Ada {first}{second}velace" for first in "BCDFGHJKLM" for second in "aeiouy" for _ in "12"]
    labelled = "".join(f"Patient: {name}\n" for name in names)
    assert kept(masker, labelled + ", ".join(names)) == "Patient: <PERSON>\n" * 120 + ", ".join(["<PERSON>"] * 120)
    mails = "".join(f"{chr(0xAC00 + at)}{chr(0xB000 + at)}.김@example.com\n" for at in range(100))
    calls = "".join(f"김{chr(0xAC00 + at)}{chr(0xB000 + at)}\n" for at in range(100))
    assert kept(masker, mails + calls).count("<PERSON>") == 100


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"by {ADA}, mail ada.lovelace17@example.com", "by <PERSON>, mail <EMAIL_ADDRESS>"),
        ("by Ada M. Lovelace, mail alovelace@example.com", "by <PERSON>, mail <EMAIL_ADDRESS>"),
        ("Lovelace, Ada and lovelace_ada@example.com", "<PERSON> and <EMAIL_ADDRESS>"),
        ("for Ada van den Berg at a.vandenberg@example.com", "for <PERSON> at <EMAIL_ADDRESS>"),
        ("J\u00fcrgen M\u00fcller: juergen.mueller@example.com", "<PERSON>: <EMAIL_ADDRESS>"),
        ("Jos\u00e9 P\u00e9rez: jose-perez@example.com", "<PERSON>: <EMAIL_ADDRESS>"),
        (f"担当は{ADA}です (ada.lovelace@example.com)", "担当は<PERSON>です (<EMAIL_ADDRESS>)"),
        (f"{ADA}에게 alovelace@example.com", "<PERSON>에게 <EMAIL_ADDRESS>"),
        ("시우 김, 시우.김29@example.com", "<PERSON>, <EMAIL_ADDRESS>"),
        ("朱芳的邮箱 芳.朱92@example.com", "<PERSON>的邮箱 <EMAIL_ADDRESS>"),
        ("Bērziņš, Raivis (raivis.bērziņš95@example.com)", "<PERSON> (<EMAIL_ADDRESS>)"),
        ("Анна Петрова, Иванна Петрова: анна.петрова@example.com", "<PERSON>, Иванна Петрова: <EMAIL_ADDRESS>"),
        ("Иван Петров иван.петров@example.com", "<PERSON> <EMAIL_ADDRESS>"),
        ("Петров иван.петров@example.com", "Петров <EMAIL_ADDRESS>"),
        ("Ad\u0430 Lovelace alovelace@example.com", "<PERSON> <EMAIL_ADDRESS>"),
        (f"by {ADA}, mail bo.berg@example.com", f"by {ADA}, mail <EMAIL_ADDRESS>"),
        ("Data Protection has data.protection@example.com", "Data Protection has <EMAIL_ADDRESS>"),
        ("Support Team: support.team@example.com", "Support Team: <EMAIL_ADDRESS>"),
        ("Ada Li or ali@example.com or al@example.com", "Ada Li or <EMAIL_ADDRESS> or <EMAIL_ADDRESS>"),
    ],
)
def test_a_name_that_an_address_of_mail_spells_is_that_of_a_person(masker: Masker, text: str, masked: str) -> None:
    assert re.sub(r"(?<=ADDRESS)_[0-9a-f]{12}", "", kept(masker, text)) == masked


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"NAME1": ADA, "PHONE": "2125552368"}, {"NAME1": "<PERSON>", "PHONE": "<PHONE_NUMBER>"}),
        ({"q1_name": ADA, "q2_dob": "1980-02-29"}, {"q1_name": "<PERSON>", "q2_dob": "<DATE_OF_BIRTH>"}),
        ({"NAME1": "Build Test", "size": 12}, {"NAME1": "Build Test", "size": 12}),
    ],
)
def test_the_first_line_of_a_name_is_a_persons_beside_what_only_persons_have(
    masker: Masker, value: JsonObject, masked: JsonObject
) -> None:
    assert masker.keep_json(value) == masked


def test_a_numbered_column_of_names_is_that_of_persons_beside_what_only_persons_have(masker: Masker) -> None:
    assert kept(masker, "ID,NAME1,PHONE\n1,Ada,2125552368\n") == "ID,NAME1,PHONE\n1,<PERSON>,<PHONE_NUMBER>\n"
    assert kept(masker, "ID,NAME1,SIZE\n1,Ada,2125552368\n") == "ID,NAME1,SIZE\n1,Ada,2125552368\n"

"""Values in the forms of some programs: of PHP, HTTP, LDIF, Terraform, Kubernetes, HL7, X12, EDIFACT, contacts."""

import base64

import pytest
from tests.masking.named.test_values import SSN, kept

from holdfast.masking.masker import Masker

PID = "PID|1||7095748^^^HOSP^MR||Doe^Ada||19800229|F|||1 Main St^^X||2125552368|||S||A1|234456789"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Array\n(\n    [pwd] => ab c\n    [ssn:protected] => 234456789\n)", None),
        ('array(1) {\n  ["pwd"]=>\n  string(2) "ab"\n}', 'array(1) {\n  ["pwd"]=>\n  string(2) "<PASSWORD>"\n}'),
        (
            'Content-Disposition: form-data; name="pwd"\r\n\r\nab\r\n--b',
            'Content-Disposition: form-data; name="pwd"\r\n\r\n<PASSWORD>\r\n--b',
        ),
        ("pwd = <<EOT\na b\nc\nEOT\nx = 1", "pwd = <<EOT\n<PASSWORD>\nEOT\nx = 1"),
        ('  ~ pwd = "ab" -> "cd"', '  ~ pwd = "ab" -> "<PASSWORD>"'),
        ("db.pwd=\\\n    ab\nx=y", "db.pwd=\\\n    <PASSWORD>\nx=y"),
        (
            "UPDATE u SET [Pwd] = N'ab' WHERE [SSN]='234456789'",
            "UPDATE u SET [Pwd] = N'<PASSWORD>' WHERE [SSN]='<US_SSN>'",
        ),
        ("user[pwd]=ab1&user%5Bssn%5D=234456789&x=y", "user[pwd]=<PASSWORD>&user%5Bssn%5D=<US_SSN>&x=y"),
        ("pwd was changed from ab1 to 'cd2' today", "pwd was changed from <PASSWORD> to '<PASSWORD>' today"),
        ("Pwd ......... ab1\nSSN ... 234456789\n", "Pwd ......... <PASSWORD>\nSSN ... <US_SSN>\n"),
        ("pwds = [\"ab1\", 'cd2']", "pwds = [\"<PASSWORD>\", '<PASSWORD>']"),
        ('x = ConvertTo-SecureString "a b" -Force', 'x = ConvertTo-SecureString "<PASSWORD>" -Force'),
        ("    DefaultPwd    REG_SZ    a b\n", "    DefaultPwd    REG_SZ    <PASSWORD>\n"),
        ("x --from-literal=a=b1 --from-literal=user=d", "x --from-literal=a=<PASSWORD> --from-literal=user=d"),
        ("echo 'a1' | sudo -S apt update", "echo '<PASSWORD>' | sudo -S apt update"),
        ('1) "user"\n2) "ada"\n3) "pwd"\n4) "a1"\n', '1) "user"\n2) "ada"\n3) "pwd"\n4) "<PASSWORD>"\n'),
        ('- textbox "Pwd" [ref=e1]: a b\n', '- textbox "Pwd" [ref=e1]: <PASSWORD>\n'),
        ('uid=1 textbox "Pwd" value="a b"\n', 'uid=1 textbox "Pwd" value="<PASSWORD>"\n'),
        ("$('#x'); q('#pwd').value = 'a b'", "$('#x'); q('#pwd').value = '<PASSWORD>'"),
        ("p.box('Pwd').fill('a b')", "p.box('Pwd').fill('<PASSWORD>')"),
        ("cy.get('[name=pwd]').type('a b')", "cy.get('[name=pwd]').type('<PASSWORD>')"),
        ('f(By.ID, "pwd").send_keys("a1**")', 'f(By.ID, "pwd").send_keys("<PASSWORD>")'),
        ("page.fill('#pwd', 'a1')", "page.fill('#pwd', '<PASSWORD>')"),
        ('    pwd             = "a1"\n', '    pwd             = "<PASSWORD>"\n'),
        ("  pwd:        a1\n", "  pwd:        <PASSWORD>\n"),
        ("gh secret set X --body 'a1'", "gh secret set X --body '<PASSWORD>'"),
        ("WIFI:T:WPA;S:home;P:a b;;", "WIFI:T:WPA;S:home;P:<PASSWORD>;;"),
        ("db.example.com:5432:crm:app:a1\n", "db.example.com:5432:crm:app:<PASSWORD>\n"),
        (
            "kind: Secret\ndata:\n  a: YWI=\n  b: 234-45-6789\n  user: c\nx: y\n---\nkind: Config\ndata:\n  a: b\n",
            "kind: Secret\ndata:\n  a: <PASSWORD>\n  b: <US_SSN>\n  user: c\nx: y\n---\nkind: Config\ndata:\n  a: b\n",
        ),
        (
            "- apiVersion: v1\n  stringData:\n    a.x: |\n      x=1\n\n      y: 2\n    b: 'c d'\n  kind: Secret\n",
            "- apiVersion: v1\n  stringData:\n    a.x: |\n      <PASSWORD>\n    b: '<PASSWORD>'\n  kind: Secret\n",
        ),
        (
            "REF*SY*234456789~DMG*D8*19800229*F~NM1*IL*1*DOE*ADA****34*234456789~PER*IP**HP*2125552368~",
            "REF*SY*<US_SSN>~DMG*D8*<DATE_OF_BIRTH>*F~NM1*IL*1*<PERSON>****34*<US_SSN>~PER*IP**HP*<PHONE_NUMBER>~",
        ),
        (
            "UNB+UNOA:2'CTA+IC+1:Ada Lovelace'COM+0612345678:TE'COM+?+31612345678:FX'COM+12345678:XX'",
            "UNB+UNOA:2'CTA+IC+1:<PERSON>'COM+<PHONE_NUMBER>:TE'COM+<PHONE_NUMBER>:FX'COM+12345678:XX'",
        ),
        ("CTA+IC+1:Sales'x\n", "CTA+IC+1:Sales'x\n"),
        (
            "BEGIN:VCARD\nFN:Ada L\nBDAY:19800229\nEND:VCARD",
            "BEGIN:VCARD\nFN:<PERSON>\nBDAY:<DATE_OF_BIRTH>\nEND:VCARD",
        ),
        ("BEGIN:VEVENT\nATTENDEE;CN=Ada L;X=1:x", "BEGIN:VEVENT\nATTENDEE;CN=<PERSON>;X=1:x"),
    ],
)
def test_a_value_is_found_in_the_form_of_its_program(masker: Masker, text: str, masked: str | None) -> None:
    done = kept(masker, text)
    assert SSN not in done
    assert "ab" not in done.replace("Table", "").replace('"ab" ->', "")
    assert masked in (None, done)


def test_what_a_directory_has_in_base64_is_masked(masker: Masker) -> None:
    values = {"userPassword": "a b", "ssn": "234-45-6789", "description": "plain text"}
    coded = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    done = kept(masker, "dn: uid=ada\n" + "".join(f"{name}:: {value}\n" for name, value in coded.items()))
    assert done == f"dn: uid=ada\nuserPassword:: <PASSWORD>\nssn:: <US_SSN>\ndescription:: {coded['description']}\n"


@pytest.mark.parametrize("newline", ["\r", "\n", "\\r"])
def test_the_fields_of_a_patient_are_told_by_their_number(masker: Masker, newline: str) -> None:
    head = "MSH|^~\\&|LAB|HOSP|EHR|HOSP|20241122101112||ADT^A01|MSG1|P|2.5"
    done = kept(masker, newline.join([head, PID, "PV1|1|I|2000^2012^01"]))
    assert done.startswith(head + newline + "PID|1||<MEDICAL_RECORD>^^^HOSP^MR||<PERSON>||<DATE_OF_BIRTH>|F|||")
    assert done.endswith("||<PHONE_NUMBER>|||S||A1|<US_SSN>" + newline + "PV1|1|I|2000^2012^01")


@pytest.mark.parametrize(
    "text",
    [
        "Array\n(\n    [user] => ab\n    [id] => 7\n)",
        'form-data; name="file"\r\n\r\nab\r\n',
        "cat <<EOT\nab\nEOT\n",
        '  ~ image = "a1" -> "b2"',
        "The password was changed from time to time",
        "Password policy ......... 12\n",
        "password ... and so on",
        'passwords = ["user", "role"]',
        "src/a.py:5432:x:y:z w",
        '1) "pwd"\n2) "user"\n',
        '- textbox "Name": a1\n',
        '    password        = "none"\n',
        "  password:       optional\n",
        "gh secret set X < file.txt",
        "kind: Secret\nmetadata:\n  name: db\n  labels:\n    a: b\n",
        "kind: ConfigMap\ndata:\n  a: b\n",
        "REF*TJ*123456789~",
        "FN:Ada\nBDAY:19800229",
        "x[password]==y",
    ],
)
def test_what_only_has_such_a_form_passes(masker: Masker, text: str) -> None:
    assert kept(masker, text) == text


@pytest.mark.parametrize(
    "text",
    [
        "[a] => \n" * 20_000,
        "form-data; name=a\n" * 10_000,
        "ssn = <<A\n" * 10_000,
        'ssn = "" -> "' * 10_000,
        "ssn changed from " * 20_000,
        "kind: Secret\ndata:\n" * 10_000,
        "kind: Secret\ndata:\n" + "  - apiVersion:\n" * 10_000,
        "PID|\n" * 40_000,
        "NM1*IL*1*" * 20_000,
        "BEGIN:V" + ";CN=" * 60_000,
    ],
)
def test_a_long_text_of_beginnings_is_gone_through_once(masker: Masker, text: str) -> None:
    assert kept(masker, text) == text

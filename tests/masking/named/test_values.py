"""Values that a text names itself: cells of tables, elements, rows of SQL, blocks of YAML, pairs in quotes."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.live.harness.warm import scanner_of
from tests.masking.conftest import KEY

from holdfast.call import Call, Direction
from holdfast.errors import MaskingError
from holdfast.masking.budget import Budget
from holdfast.masking.entries import MaskingRules
from holdfast.masking.keys import KeyForces
from holdfast.masking.masker import Masker
from holdfast.masking.named.values import Values
from holdfast.masking.tools import Tools

SSN = "234456789"
CARD = "4111111111111112"  # fails its checksum: only its place says what it is


def kept(masker: Masker, text: str) -> str:
    call = Call("vendor/x", {"x": text}, 1, Direction.TO_CLIENT)
    done = asyncio.run(masker.mask(call, server="crm")).keep
    assert isinstance(done, Call)
    return str(done.member("x"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("id,ssn\n1,234456789\n", "id,ssn\n1,<US_SSN>\n"),
        ("id\tpwd\n1\thunter2\n", "id\tpwd\n1\t<PASSWORD>\n"),
        ("name;card\r\nAda;4111111111111112\r\n", "name;card\r\nAda;************1112\r\n"),
        ('"Name","SSN"\n"Lovelace, Ada","234456789"\n', '"Name","SSN"\n"<PERSON>","<US_SSN>"\n'),
        ('note,ssn\n"two\nlines, of",234456789\nx,234456780', 'note,ssn\n"two\nlines, of",<US_SSN>\nx,<US_SSN>'),
        ("Card no. (corporate),age\n4111111111111112,9\n", "Card no. (corporate),age\n************1112,9\n"),
        ('"Card, old";Stand(e)\n4111111111111112;9\n', '"Card, old";Stand(e)\n************1112;9\n'),
        ("user,ssn\nLovelace, Ada,234456789\n", "user,ssn\nLovelace, Ada,<US_SSN>\n"),
        ("Staff, as of today\nname,ssn\nAda,234456789\n", "Staff, as of today\nname,ssn\n<PERSON>,<US_SSN>\n"),
        ("id, user, pwd\n1, ada, hunter2\n", "id, user, pwd\n1, ada, <PASSWORD>\n"),
        (" id | pwd \n----+-----\n  1 | abc\n(1 row)\n", " id | pwd \n----+-----\n  1 | <PASSWORD>\n(1 row)\n"),
        ("+----+-----+\n| id | pwd |\n+----+-----+\n|  1 | abc |\n+----+-----+", None),
        (
            "| User | Password |\n|---|:-:|\n| ada | `hunter2` |",
            "| User | Password |\n|---|:-:|\n| ada | `<PASSWORD>` |",
        ),
        ("│ id │ pwd │\n├────┼─────┤\n│ 1  │ abc │", "│ id │ pwd │\n├────┼─────┤\n│ 1  │ <PASSWORD> │"),
        ("id|pwd\n1|abc\n2|def", "id|pwd\n1|<PASSWORD>\n2|<PASSWORD>"),
        ("| Field | Value |\n|---|---|\n| Password | a b |", "| Field | Value |\n|---|---|\n| Password | <PASSWORD> |"),
        ("-[ RECORD 1 ]--\nid  | 1\npwd | abc", "-[ RECORD 1 ]--\nid  | 1\npwd | <PASSWORD>"),
        ("NAME   PASSWORD   AGE\napp    hunter2    3d", "NAME   PASSWORD   AGE\napp    <PASSWORD>    3d"),
        ("id  ssn\n--  ---------\n1   234456789", "id  ssn\n--  ---------\n1   <US_SSN>"),
        ("NAME      PASSWORD\n          hunter2\nweb", "NAME      PASSWORD\n          <PASSWORD>\nweb"),
        ("acct,balance\n945456787654,12", "acct,balance\n<US_BANK_NUMBER>,12"),
        ("account balance,branch\n945456787654,12", "account balance,branch\n<US_BANK_NUMBER>,12"),
        ("Field,Value\nPassword,a b\n", "Field,Value\nPassword,<PASSWORD>\n"),
        ("a,b,pwd\n1,2\n3,4,hunter2\n", "a,b,pwd\n1,2\n3,4,<PASSWORD>\n"),
        ("name,pwd\nAda,hunter2,\n", "name,pwd\nAda,<PASSWORD>,\n"),
        ("\ufeffname,pwd\nbob,hunter2\n", "\ufeffname,pwd\nbob,<PASSWORD>\n"),
        ("id,col1,pwd\n1,x,hunter2\n", "id,col1,pwd\n1,x,<PASSWORD>\n"),
        ("name, pwd\nbob, hunter2", "name, pwd\nbob, <PASSWORD>"),
        ("|name|pwd|\n|bob|hunter2|", "|name|pwd|\n|bob|<PASSWORD>|"),
        ("Name  Password\nbob   hunter2", "Name  Password\nbob   <PASSWORD>"),
        ("name,pwd\n\nbob,hunter2", "name,pwd\n\nbob,<PASSWORD>"),
        ("> name,pwd\n> bob,hunter2\n", "> name,pwd\n> bob,<PASSWORD>\n"),
        ("name,pwd\nbob,hunter2,extra\n", None),
        ("User\tada\nPassword\thunter2", "User\tada\nPassword\t<PASSWORD>"),
        ("address1,pwd\nx,hunter2\n", "address1,pwd\nx,<PASSWORD>\n"),
        ("user  pwd      role\nada   hunter2  dev", "user  pwd      role\nada   <PASSWORD>  dev"),
        ("user  pwd     role\nada   hunter2 dev\nbob   hunter2 x", None),
        ("Login Name   Pass Word\nada          hunter2", "Login Name   Pass Word\nada          <PASSWORD>"),
        ("id,pwd\n1,hunter2\n\n2,hunter2\n", "id,pwd\n1,<PASSWORD>\n\n2,<PASSWORD>\n"),
        (" id,pwd\n-1,hunter2\n+1,hunter2x\n", " id,pwd\n-1,<PASSWORD>\n+1,<PASSWORD>\n"),
        ("pwd\nhunter2\nhunter2", "pwd\n<PASSWORD>\n<PASSWORD>"),
        ("     1\tid,pwd\n     2\t1,hunter2\n", "     1\tid,pwd\n     2\t1,<PASSWORD>\n"),
        ("1→id,pwd\n2→1,hunter2\n", "1→id,pwd\n2→1,<PASSWORD>\n"),
        ("user pwd\nada hunter2\n", "user pwd\nada <PASSWORD>\n"),
        (
            "Setting   Value\n-------   -----\nDb Pwd    hunter2\n",
            "Setting   Value\n-------   -----\nDb Pwd    <PASSWORD>\n",
        ),
    ],
)
def test_a_cell_of_a_table_is_what_its_column_is_called(masker: Masker, text: str, masked: str | None) -> None:
    done = kept(masker, text)
    assert not any(value in done for value in (SSN, CARD, "hunter2", " abc "))
    assert masked in (None, done)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("- name: DB_PWD\n  value: ab\n", "- name: DB_PWD\n  value: <PASSWORD>\n"),
        (
            "- name: 'pwd'\n  type: string\n  default: \"a b\"\n",
            "- name: 'pwd'\n  type: string\n  default: \"<PASSWORD>\"\n",
        ),
        ("pwd: |\n  a\n  b\nc: d\n", "pwd: |\n  <PASSWORD>\nc: d\n"),
        ("x:\n  - pwd: >-\n      a\n  - c: d\n", "x:\n  - pwd: >-\n      <PASSWORD>\n  - c: d\n"),
        ("- name: pwd\n  value: |\n    a\n  x: y\n", "- name: pwd\n  value: |\n    <PASSWORD>\n  x: y\n"),
        ("x:\n  pwd:\n    ab\n", "x:\n  pwd:\n    <PASSWORD>\n"),
        (
            "data:\n  app.yaml: |\n    db:\n      pwd: |\n        a&b\n",
            "data:\n  app.yaml: |\n    db:\n      pwd: |\n        <PASSWORD>\n",
        ),
        ("a:\n  b: |\n    pwd: >-\n      a b\n", "a:\n  b: |\n    pwd: >-\n      <PASSWORD>\n"),
        (
            "- name: x\n  value: |\n    - name: pwd\n      value: |\n        ab\n",
            "- name: x\n  value: |\n    - name: pwd\n      value: |\n        <PASSWORD>\n",
        ),
        ("a:\n  - pwds:\n    - a1!\n    - 'b c'\nx: y", "a:\n  - pwds:\n    - <PASSWORD>\n    - '<PASSWORD>'\nx: y"),
        ("pwds:\n- a1!\n- b2!", "pwds:\n- <PASSWORD>\n- <PASSWORD>"),
        ("pwds: [a1!, 'b2!']", "pwds: [<PASSWORD>, '<PASSWORD>']"),
        (
            "- value: ab\n  type: x\n  name: DB_PWD\n- value: c\n  name: d",
            "- value: <PASSWORD>\n  type: x\n  name: DB_PWD\n- value: c\n  name: d",
        ),
        ("- name: DB_PWD\n  # staging\n  value: ab\n", "- name: DB_PWD\n  # staging\n  value: <PASSWORD>\n"),
        ("pwd:\n  # staging\n  ab\n", "pwd:\n  # staging\n  <PASSWORD>\n"),
        ('sent {\\"pin\\": \\"4711\\"}', 'sent {\\"pin\\": \\"<CARD_CODE>\\"}'),
        ("[('user', 'ada'), ('pwd', 'ab1')]", "[('user', 'ada'), ('pwd', '<PASSWORD>')]"),
        ("x:\n  pwd: &p ab\n  y: *p\n", "x:\n  pwd: &p <PASSWORD>\n  y: *p\n"),
        ("x:\n  pwd: !!str ab\n", "x:\n  pwd: <PASSWORD> <PASSWORD>\n"),
        ('Found: {"pin": 4711}\n{"pin": 4712}\n', 'Found: {"pin": <CARD_CODE>}\n{"pin": <CARD_CODE>}\n'),
        ("Found: {'card': '4111111111111112', 'cut", "Found: {'card': '************1112', 'cut"),
        (
            "INSERT INTO u (id, pwd) VALUES (1, 'a''b'), (2, N'c');",
            "INSERT INTO u (id, pwd) VALUES (1, '<PASSWORD>'), (2, N'<PASSWORD>');",
        ),
        (
            "insert into u(ssn,id)\nvalues (234456789, lower('x')), (234456780, 2)",
            "insert into u(ssn,id)\nvalues (<US_SSN>, lower('x')), (<US_SSN>, 2)",
        ),
        (
            "insert into u (id, price, pwd) values (1, round(2.5, 1), 'abc'), (2, 3, 'into u (pwd) values (1')",
            "insert into u (id, price, pwd) values (1, round(2.5, 1), '<PASSWORD>'), (2, 3, '<PASSWORD>')",
        ),
        (
            r"""INSERT INTO u (id, name, pwd) VALUES (1, 'O\'Neil', 'a\'b'), (2, "a, b", "c");""",
            r"""INSERT INTO u (id, name, pwd) VALUES (1, 'O\'Neil', '<PASSWORD>'), (2, "a, b", "<PASSWORD>");""",
        ),
        (
            r"INSERT INTO u (id, path, pwd) VALUES (1, 'C:\', 'abc'), (2, 'D:\', 'def')",
            r"INSERT INTO u (id, path, pwd) VALUES (1, 'C:\', '<PASSWORD>'), (2, 'D:\', '<PASSWORD>')",
        ),
        ('binds: [["user", "ada"], ["pwd", "ab1"]] and', 'binds: [["user", "ada"], ["pwd", "<PASSWORD>"]] and'),
        (
            "insert into u (id, pwd) output inserted.id values (1, 'abc')",
            "insert into u (id, pwd) output inserted.id values (1, '<PASSWORD>')",
        ),
        (
            "COPY u (id, pwd) FROM stdin;\n1\tab\n2\t\\N\n\\.\n",
            "COPY u (id, pwd) FROM stdin;\n1\t<PASSWORD>\n2\t\\N\n\\.\n",
        ),
    ],
)
def test_a_value_is_found_where_its_name_stands_apart(masker: Masker, text: str, masked: str) -> None:
    assert kept(masker, text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "We changed the password, user\nand the card, as you asked.\n",
        "def login(user, password):\n    check(user, password)\n    a, b = 1, 2\n",
        "connect(\n    host, port,\n    user, password,\n    timeout, retries)\n",
        "| Option | Description |\n|---|---|\n| `password` | The password of the user |\n",
        "| Name | Type |\n|---|---|\n| password | string |\n",
        "type Kind =\n  | 'password'\n  | 'token'\n",
        "type User struct {\n\tPassword\tstring\n\tName\tstring\n}\n",
        "- name: password\n  required: true\n",
        "password:\n  description: |\n    At least twelve characters.\n",
        '{"type": "token", "label": "password"',
        "Password:\n  At least twelve characters.\n",
        "Passwords:\n- must be long\n- must have 3 digits\n",
        "- name: x\n  value: y\n- name: password\n  required: true\n",
        "required: [password, email]",
        "password: [string, varchar(64)]",
        "Column,Type\npassword,text\nssn,varchar\nemail,text\n",
        "password,required,min_length\nyes,true,8\n",
        "password,text\nssn,varchar\n",
        "password,hunter2\nuser,bob\n",
        "password  Sets it\nuser      Names you\n",
        "password  sets\nuser      names\n",
        "Secret Key  Access Key\nNeeded      Optional\n",
        "password\nuser\nrole\n",
        "the password is\nnever ab1 here\nat all\n",
        "password,user1\nword,bob\n",
        "a pwd,b\nc\n\nhunter2\n",
        "replace('token', 'api_key')",
        "INSERT INTO t (id, note) VALUES (1, 'hunter2')",
        "id,name\n1,Ada\n\npassword policy\n",
    ],
)
def test_what_only_looks_like_a_table_or_a_label_passes(masker: Masker, text: str) -> None:
    assert kept(masker, text) == text


_WORDS = st.sampled_from(
    [
        *("ssn", "password", "a", "1", "name", "value", SSN, '"', "'", "<b>", "</b>", "<pwd>", "</pwd>", "x y"),
        *("<td>", "</td>", "<tr>", "<th>", "</th>", "hunter2", "<![CDATA[", "]]>", "PID|1|2|3", "NM1*IL*1*a*b"),
        *('textbox "pwd"', "pwd changed from", "kind: Secret\ndata:\n  a: ", "FN:", "BEGIN:VCARD\n", "[pwd]", "EOT"),
    ]
)
_MARKS = st.sampled_from(
    [
        ",",
        "\t",
        "|",
        ";",
        "  ",
        "\n",
        "\n",
        "\n---\n",
        ": ",
        ": |\n  ",
        "=",
        "│",
        "\r\n",
        "(",
        ") values (",
        " to ",
        " => ",
        " ... ",
        "<<EOT\n",
        "|",
        "&lt;",
        '\n1) "',
    ]
)


@given(st.lists(st.tuples(_WORDS, _MARKS), max_size=24))
@settings(max_examples=120, deadline=None)
def test_masking_again_changes_nothing(masker: Masker, pieces: list[tuple[str, str]]) -> None:
    once = kept(masker, "".join(word + mark for word, mark in pieces))
    assert kept(masker, once) == once


@pytest.mark.parametrize(
    "piece",
    [
        "a,b\n",
        'a,"b\n',
        "ssn,a\nb,c,d\n",
        "a|b\n",
        "|---|\n",
        "name: x\n",
        "- ssns:\n",
        "ssn: |\n  ",
        "<a b='c' ",
        "'a':'",
        "into a(ssn) values ('",
        "a  b\n",
        "ssn\n",
        "<a b>",
        "&lt;a",
    ],
)
def test_a_long_text_is_looked_at_within_its_budget(shipped_rules: MaskingRules, piece: str) -> None:
    tools = Tools.of(shipped_rules, shipped_rules.in_force, scanner_of(shipped_rules, KEY), KEY)
    values = Values(KeyForces(shipped_rules, shipped_rules.in_force), tools)
    text = piece * 2000
    budget = Budget(iter(range(1000)).__next__)  # each look at the clock is a second later
    with pytest.raises(MaskingError, match="takes more than"):
        _look_often(values, text, budget)


def _look_often(values: Values, text: str, budget: Budget) -> None:
    for _ in range(16):
        values.spans(text, budget)


@pytest.mark.parametrize(
    "text",
    [
        "<a>" + "\n" * 400_000 + "</b>",
        "copy t (ssn) from stdin\nnull\n" * 8_000,
        "into t (a, ssn) values (1, null), " * 8_000,
        "into t (ssn) values " * 20_000,
        "into t (ssn) values ('\\'" * 6_000,
        "<a>" * 60_000,
        "<a><![CDATA[" * 20_000,
        "<a><!--" * 30_000,
        "<a b=' c=\" " * 20_000,
        "&lt;a " * 20_000,
        "id  ssn\n" * 20_000,
        "  ".join(["PIN"] * 256) + ("\n" + " ".join(["x  y"] * 64)) * 200,
        "_" * 100_000,
    ],
)
def test_a_long_text_with_nothing_in_it_is_gone_through_once(masker: Masker, text: str) -> None:
    # Each of them took a time that grew with its square: more than a message may take.
    assert kept(masker, text) == text

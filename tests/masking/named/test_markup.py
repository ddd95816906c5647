"""Values between the tags of XML and HTML, in attributes, and in markup that is escaped."""

import pytest
from tests.masking.named.test_values import kept

from holdfast.masking.masker import Masker


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("<ssn>234456789</ssn>", "<ssn><US_SSN></ssn>"),
        ("<s:Password Type='x'>\n a b\n</s:Password>", "<s:Password Type='x'>\n <PASSWORD>\n</s:Password>"),
        (
            "<pwd><![CDATA[a<b]]></pwd><pwd><![CDATA[ab]]></pwd>",
            "<pwd><![CDATA[<PASSWORD>]]></pwd><pwd><![CDATA[<PASSWORD>]]></pwd>",
        ),
        ("<pwd><![CDATA[a<b]]x]]></pwd>", "<pwd><![CDATA[<PASSWORD>]]></pwd>"),
        ("<pwd><![CDATA[<a>b</a>]]></pwd>", "<pwd><![CDATA[<PASSWORD>]]></pwd>"),
        ("<x><![CDATA[<pwd>ab</pwd>]]></x>", "<x><![CDATA[<pwd><PASSWORD></pwd>]]></x>"),
        ("<pwd><!-- of <b>May</b> -->ab</pwd>", "<pwd><!-- of <b>May</b> --><PASSWORD></pwd>"),
        ("<pwd>ab<!-- of May --></pwd>", "<pwd><PASSWORD><!-- of May --></pwd>"),
        ("<!-- <pwd>ab</pwd> -->", "<!-- <pwd><PASSWORD></pwd> -->"),
        ("<pwd><value>ab</value></pwd>", "<pwd><value><PASSWORD></value></pwd>"),
        ("<pwd>\n <string>ab</string>\n</pwd>", "<pwd>\n <string><PASSWORD></string>\n</pwd>"),
        ("<ssn><b>234456789</b></ssn>", "<ssn><b><US_SSN></b></ssn>"),
        (
            '<property name="pwd"><value>ab</value></property>',
            '<property name="pwd"><value><PASSWORD></value></property>',
        ),
        ("&lt;pwd&gt;ab&lt;/pwd&gt;", "&lt;pwd&gt;<PASSWORD>&lt;/pwd&gt;"),
        (
            "&lt;x k=&quot;pwd&quot; value=&quot;ab&quot;/&gt;",
            "&lt;x k=&quot;pwd&quot; value=&quot;<PASSWORD>&quot;/&gt;",
        ),
        ("got \\u003cpwd\\u003eab\\u003c/pwd\\u003e", "got \\u003cpwd\\u003e<PASSWORD>\\u003c/pwd\\u003e"),
        (
            '<input required name="pwd" value="ab" autofocus>',
            '<input required name="pwd" value="<PASSWORD>" autofocus>',
        ),
        ("<input type=hidden name=pwd value=ab>", "<input type=hidden name=pwd value=<PASSWORD>>"),
        ("&amp;lt;pwd&amp;gt;ab&amp;lt;/pwd&amp;gt;", "&amp;lt;pwd&amp;gt;<PASSWORD>&amp;lt;/pwd&amp;gt;"),
        ("<td><b>Pwd</b></td><td><code>a1</code></td>", "<td><b>Pwd</b></td><td><code><PASSWORD></code></td>"),
        ("<tr><td>Id</td><td>Pwd</td></tr><tr><td>1</td><td>a1</td></tr>", None),
        ("<x>ada</x><pwd>a1</pw", "<x>ada</x><pwd><PASSWORD></pw"),
        ("<birthDate value='19800229'/>", "<birthDate value='<DATE_OF_BIRTH>'/>"),
        ('<login filter="a>b" pwd = "ab"/>', '<login filter="a>b" pwd = "<PASSWORD>"/>'),
        ('<property name="password" value="ab"/>', '<property name="password" value="<PASSWORD>"/>'),
        ("<add key='DbPwd' x='1' value='ab' />", "<add key='DbPwd' x='1' value='<PASSWORD>' />"),
        ('<user dbpwd="ab"/>', '<user dbpwd="<PASSWORD>"/>'),
        ('<entry key="db.pwd">ab</entry>', '<entry key="db.pwd"><PASSWORD></entry>'),
        ("<name>db.pwd</name>\n<value>ab</value>", "<name>db.pwd</name>\n<value><PASSWORD></value>"),
        ("<key>Password</key><string>ab</string>", "<key>Password</key><string><PASSWORD></string>"),
        ("<tr><th>Password:</th><td>ab</td></tr>", "<tr><th>Password:</th><td><PASSWORD></td></tr>"),
        (
            "<tr><th>Name</th><th>Pwd</th></tr><tr><td>Ada</td><td>ab</td></tr>",
            "<tr><th>Name</th><th>Pwd</th></tr><tr><td>Ada</td><td><PASSWORD></td></tr>",
        ),
        ("<input type='password' value='ab'/>", "<input type='password' value='<PASSWORD>'/>"),
    ],
)
def test_an_element_is_what_it_or_its_label_is_called(masker: Masker, text: str, masked: str | None) -> None:
    assert kept(masker, text) == (masked or text.replace("a1", "<PASSWORD>"))


@pytest.mark.parametrize(
    "text",
    [
        "<label>Password</label><b>required</b>",
        "run it with <password> a1 as the last argument > out",
        "<password><min>8</min><max>x64</max></password>",
        '<string name="reset_password"><b>Reset it</b></string>',
        "<password><b>Required</b></password>",
        "<tr><td>Password</td><td>Password reset</td></tr><tr><td>Mail</td><td>a1</td></tr>",
        '<string name="enter_password">Enter your password</string>',
        "<tr><th>Option</th><th>Meaning</th></tr><tr><td>password</td><td>as it is</td></tr>",
    ],
)
def test_what_only_describes_or_labels_a_value_passes(masker: Masker, text: str) -> None:
    assert kept(masker, text) == text


def test_the_name_of_a_mask_is_no_label(masker: Masker) -> None:
    text = "<tr><td>Pwd</td><td>a1</td></tr><tr><td>Mail</td><td>b2</td></tr>"
    assert kept(masker, text) == text.replace("a1", "<PASSWORD>")
    said = "x <PASSWORD> changed from a1 to b2"
    assert kept(masker, said) == said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<patientRole><id root="1.2" extension="14305727"/></patientRole>', "MEDICAL_RECORD"),
        ('<x><id root="2.16.840.1.113883.4.1" extension="078051120"/></x>', "US_SSN"),
        ("<Cdtr><Nm>Ada Lovelace</Nm></Cdtr>", "PERSON"),
    ],
)
def test_what_is_around_an_element_says_whose_name_or_number_it_holds(masker: Masker, text: str, expected: str) -> None:
    assert f"<{expected}>" in masker.keep_text(text)


def test_the_name_of_a_project_is_nobody_s(masker: Masker) -> None:
    text = '<project><name>Build Tool</name><id extension="1">core</id></project>'
    assert masker.keep_text(text) == text

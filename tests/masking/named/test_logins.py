"""Lists of users and passwords: under a line that says so, and behind addresses of mail."""

import re

import pytest

from holdfast.masking.masker import Masker

LISTS: list[tuple[str, str]] = [
    ("Logins of the workshop:\n- bob / example\n- ann / beispiel", "Logins of the workshop:\n- bob / <P>\n- ann / <P>"),
    ("Accounts for the workshop:\nbob:example\nann:beispiel", "Accounts for the workshop:\nbob:<P>\nann:<P>"),
    ("Usernames and passwords below\nbob Ex4mple\nann Ex5mple", "Usernames and passwords below\nbob <P>\nann <P>"),
    ("Zugangsdaten:\nbob / Ex4mple\nann / beispiel\n\nGruß", "Zugangsdaten:\nbob / <P>\nann / <P>\n\nGruß"),
    ("Accounts to try (user:pass)\nbob:example1\nann:beispiel", "Accounts to try (user:pass)\nbob:<P>\nann:<P>"),
    ("chpasswd:\n  list: |\n    root:Ex4mple\n  expire: no", "chpasswd:\n  list: |\n    root:<P>\n  expire: no"),
    ("chpasswd <<EOF\nroot:Ex4mple\nEOF", "chpasswd <<EOF\nroot:<P>\nEOF"),
    ("# host:port:db:username:password\nx:5432:*:bob:Ex4mple", "# host:port:db:username:password\nx:5432:*:bob:<P>"),
    ("found:\nbob@example.com:Ex4mple\n", "found:\n<M>:<P>\n"),
    ("bob@example.com;example\nann@example.com;beispiel\n", "<M>;<P>\n<M>;<P>\n"),
]
OTHERS: list[str] = [
    "Zugangsdaten:\nBenutzername: tilda12\nPortal: lieferanten",
    "users:\nbob: admin\nann: viewer",
    "Logins per day:\nmonday: 12\ntuesday: 14",
    "chpasswd:\n  expire: false\n  list: none",
    "Accounts:\nchecking: open\nsavings: closed",
]


@pytest.mark.parametrize(("text", "expected"), LISTS)
def test_the_passwords_of_a_list_of_logins_are_masked_line_by_line(masker: Masker, text: str, expected: str) -> None:
    done = re.sub("<EMAIL_ADDRESS_[0-9a-f]{12}>", "<M>", masker.keep_text(text)).replace("<PASSWORD>", "<P>")
    assert done == expected


@pytest.mark.parametrize("text", OTHERS)
def test_settings_under_a_line_about_accounts_are_no_passwords(masker: Masker, text: str) -> None:
    assert masker.keep_text(text) == text


HEADS = [
    "Credentials", "creds", "Logins", "log-ins", "Passwords", "Pa\u017f\u017fwords", "Passw\u00f6rter", "Zugangsdaten",
    "Inloggegevens", "Wachtwoorden", "Identifiants", "Mots de passe", "Credenciales", "Credenciais", "Contrase\u00f1as",
    "Credenziali", "Senhas", "Accounts", "combo list", "leaked", "dump", "user:pass", "e-mail;password", "username/pwd",
    "login|passwd", "chpasswd",
]  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_whatever_word_says_what_a_list_is(masker: Masker, head: str) -> None:
    masked = masker.keep_text(f"{head}\nroot:Ex4mple!\nann:Ex5mple!\n")
    assert masked.startswith(f"{head}\n")
    assert "Ex" not in masked[len(head) :]

"""What programs say about a value that they give a name: its type, what makes it, and what it is by default.

::

    val apiKey: String = "…"    const password string = "…"    char pass[] = "…"    #define PASSWORD "…"
    .withToken("…")             getenv("TOKEN", "…")           auth=("bob", "…")

A program also tells its names to others (``ACCESS_TOKEN: string = 'accessToken'``): a value is one only where it reads
like no name and no sentence. What stands behind a bare equals sign has to look drawn by lot.
"""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.literals import lowered
from holdfast.masking.members import SECRET
from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of, has_digit, has_one
from holdfast.masking.words import name_words

_NAME: Final = r"(?<!\w)(?<!\w-)(?P<name>[A-Za-z_]\w{1,63})"
_QUOTED: Final = (
    r"[brunNLf@&]{0,2}(?:\"(?P<double>(?:[^\"\\\n]|\\.){3,200})\"|'(?P<single>(?:[^'\\\n]|\\.){3,200})'"
    r"|`(?P<back>[^`\\\n]{3,200})`)"
)
# What wraps a text, and is no name of where it comes from.
_MADE: Final = (
    r"(?:(?:new\s|&)?(?:SecretStr(?:ing)?|SecureString|Secret|\[\]byte|bytes|bytearray|str|Buffer\.from|"
    r"Q?String(?:Literal|::from|\.valueOf)?|std::string|QLatin1String|TEXT|_T|Text|Some|CString|Box::from|Arc::from|"
    r"Password|Token|ApiKey|Optional\.of|(?:aws|pulumi)\.String|base64\.b64decode|b64decode|atob)\s?[({]\s?"
    r"|(?:Field|Query|Form|Header|Option)\(\s?default\s?=\s?)"
)
_TYPE: Final = (
    r"(?=[^=\n]{0,80}?(?i:str|char|text|byte|final|secret|\bany\b|classvar))"
    r"[&*]?(?:'\w{1,16}\s)?(?:mut\s)?[A-Za-z_][\w.:]{0,40}(?:[<\[][\w .,|:'&<>\[\]]{0,60}[>\]])?[?!]?"
    r"(?:\s?\|\s?\w{1,20}){0,3}"
)
_KINDS: Final = r"(?:str|string|text|\[\]byte|n?varchar2?|n?char|bytea?)(?:\(\w{1,10}\))?"
_DECLARED: Final = re.compile(
    rf"{_NAME}(?:(?P<typed>[?!]?\s{{0,2}}:\s{{0,2}}{_TYPE}\s{{0,3}}=)"
    rf"|(?P<known>(?:(?:\[\w{{0,40}}\]){{1,2}}|\s(?:[Aa]s\s)?(?i:{_KINDS})|\s?\{{\s?get;[^{{}}\n]{{0,40}}\}})"
    r"\s{0,8}(?::?=|(?i:DEFAULT\s)))"
    rf"|(?:\s{{0,3}}|[ ]{{4,40}})(?::=|={{1,3}}>?|!={{1,2}}|<-|:(?!:))|\.equals\()"
    rf"\s{{0,3}}(?P<made>{_MADE}{{0,2}}){_QUOTED}(?!\s?\+|\w)"
)
_BUILT: Final = re.compile(rf"(?:string|String|QString|CString)\s{{1,3}}{_NAME}\s?[({{]\s?{_QUOTED}\s?[)}}]")
_DEFINED: Final = re.compile(rf"#[ \t]{{0,4}}define[ \t]{{1,8}}(?P<name>\w{{2,64}})[ \t]{{1,32}}\(?{_QUOTED}")
# As Gradle has settings.
_SET: Final = re.compile(
    rf"^[ \t]{{0,32}}(?P<name>[a-z]\w{{0,40}}Password)[ \t]{{1,4}}{_QUOTED}[ \t]{{0,8}}\r?$", re.MULTILINE
)
# Keywords of Lisp, symbols of Ruby, attributes of Elixir; and where the name comes last.
_MARKED: Final = re.compile(
    rf"(?<![\w:@])(?::|@|\(def\s)(?P<name>[a-z][\w-]{{1,40}}),?\s{{1,3}}{_QUOTED}(?=[\s)}},]|\Z)"
)
_BEFORE: Final = re.compile(rf"\(\s?{_QUOTED}\s?,\s?forKey:\s?\"(?P<name>\w{{2,64}})\"")
_SHELL: Final = re.compile(r"\$\{(?P<name>[A-Za-z_][\w.-]{1,63}):[-=]?(?P<plain>[^\s{}$?\"':=-][^\s{}$\"']{7,200})\}")
_CALLED: Final = re.compile(
    r"(?:(?<![\w$])(?P<name>(?:set|with|using|and)_?[A-Z_]\w{1,40})"
    r"|[.>](?P<bare>(?:(?:api|auth|access|client|secret|bearer|db|user|admin|root|private|signing|encryption|refresh"
    r"|session|master)_?)?(?i:passwd|passphrase|token|secret|key)))"
    rf"\(\s{{0,3}}{_QUOTED}\s{{0,3}}\)"
)
_BEHIND: Final = r"\s{0,2}(?:\|\||\?\?|\?:|or\s)\s{0,2}"
_DEFAULT: Final = re.compile(
    r"(?:(?<!\w)(?i:getenv|environ\.get|env\.get|env|config|fetch|get_?or_?(?:default|else)|get_?env\w{0,12}|getproperty"
    r"|getstring|setdefault)\(\s?[\"'](?P<name>[\w.-]{2,64})[\"']"
    rf"(?:\s?,\s?(?:(?i:default\w{{0,8}})\s?[=:]\s?)?|\){_BEHIND}|\)\s?\{{\s?)"
    rf"|(?i:env(?:iron)?)(?:\.|\[[\"'])(?P<member>\w{{2,64}})(?:[\"']\])?{_BEHIND}"
    rf"|(?P<filtered>\w{{2,64}})\s?\|\s?default\(\s?){_QUOTED}"
)
_LOGIN: Final = re.compile(
    r"(?<!\w)(?:auth\s?=\s?|HTTP(?:Basic|Digest)Auth|(?:[sS]et_?)?[bB]asic_?[aA]uth|Credentials\.basic|NetworkCredential"
    r"|UsernamePasswordCredentials|PasswordAuthentication)\(\s{0,3}"
    rf"[brunf]?([\"'])[\w.@+\\-]{{1,64}}\1\s{{0,3}},\s{{0,3}}(?:Some\()?{_QUOTED}"
)
_NO_LOGIN: Final = frozenset({"pass", "pwd", "passwd", "secret", "user", "username", "key", "token", "pw", "test"})
_PASS: Final = re.compile(
    r"pass(?!port|eng|age|iv)|pwd|pw|kennwort|wachtwoord|contrase|senha|geheim"
)  # in small letters
_PASS_STEMS: Final = ("pass", "pw", "kennw", "wachtw", "contrase", "senha", "geheim")
_DIGITS: Final = re.compile(r"[\"'`](?=[^\"'`\n]{0,200}\d)")
_LOGINS: Final = re.compile(r"auth\s?=\s?\(|(?:basic_?|digest)auth\(|credentials?(?:\.basic)?\(|authentication\(")
_NEAR_CHARS: Final = 320
# A name with one of these is that of a message or a field.
_SAID_TEXT: Final = """invalid wrong bad err error missing reset forgot forgotten change update required weak msg
message label title placeholder hint field header param parameter prop property pref grant type key route path url
action event env var option opt arg attr attribute column flag cookie prefix"""
_SAID: Final = frozenset(_SAID_TEXT.split())
# No expression, and none that finds others.
_DRAWN: Final = re.compile(r"(?=.{0,200}\d)(?=.{0,200}[A-Za-z])[^\s()\[\]{}|\\^<>]{8,200}")
_PUT_IN: Final = re.compile(r"[$#%]\{|\{\{|%[sd(]|^\{[^{}]*\}$|^<[^<>]*>$|^\$[A-Za-z_(]|^\[[^\[\]]*\]$|\\[A-Za-z]$")
_SHAPES: Final = (_DECLARED, _BUILT, _DEFINED, _SET, _MARKED, _BEFORE, _CALLED, _DEFAULT, _LOGIN)
_NAMES: Final = ("name", "bare", "member", "filtered")
_SEAM: Final = re.compile(r"[\W_]|[a-z][A-Z]")


def cells_of_code(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The values in ``text``, read as a program, whose name matters."""
    for match in _SHELL.finditer(text) if "${" in text else ():
        yield from _cell(text, match, match["name"], matters, is_drawn=True)
    if '"' not in text and "'" not in text:
        return
    spend(len(text))
    for start, end in _stretches(text):
        spend(end - start)
        for shape in _SHAPES:
            for match in shape.finditer(text, start, end):
                yield from _read(text, match, matters)


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Where lines stand that have a digit between quotes, or a word for passwords or logins; each with the one before.

    Of a long line only what is near.
    """
    lower = lowered(text)
    words = _PASS.finditer(lower) if has_one(lower, _PASS_STEMS) else ()
    logins = _LOGINS.finditer(lower) if "auth" in lower or "cred" in lower else ()
    last = 0
    for site in sorted({match.start() for sites in (words, logins, _DIGITS.finditer(text)) for match in sites}):
        if site < last:
            continue
        start = text.rfind("\n", last, max(last, text.rfind("\n", last, site)))
        end = text.find("\n", site + 1, site + _NEAR_CHARS)
        start, last = max(last, start, site - _NEAR_CHARS), end if end >= 0 else min(len(text), site + _NEAR_CHARS)
        yield start, last


def _read(text: str, match: re.Match[str], matters: Matters) -> Iterator[Cell]:
    groups = match.groupdict()
    if match.re is _LOGIN:
        if match[match.lastindex or 0] not in _NO_LOGIN:
            yield from _cell(text, match, SECRET, matters)
        return
    is_drawn = groups.get("bare") is not None
    if match.re is _DECLARED:
        is_drawn = not (match["typed"] or match["known"] or match["made"])
    name = next(name for key in _NAMES if (name := groups.get(key)) is not None)
    yield from _cell(text, match, name, matters, is_drawn=is_drawn)


def _cell(text: str, match: re.Match[str], name: str, matters: Matters, *, is_drawn: bool = False) -> Iterator[Cell]:
    group = next(one for one in ("plain", "double", "single", "back") if match.groupdict().get(one) is not None)
    value = match[group]
    if not _is_value(name, value) or (is_drawn and not _looks_drawn(value)) or not matters(name):
        return
    if cell := cell_of(text, *match.span(group), name):
        yield cell


def _looks_drawn(value: str) -> bool:
    return _DRAWN.fullmatch(value) is not None


def _is_value(name: str, value: str) -> bool:
    """Whether ``value`` is more than a name or a sentence; without a digit it has to be called a password."""
    if _PUT_IN.search(value) or _run(value) == _run(name):
        return False
    if has_digit(value):
        return True
    words = name_words(name)
    if not words or not _PASS.search(name.lower()) or not _SAID.isdisjoint(words):
        return False
    return _SEAM.search(value) is None or words[-1] not in name_words(value)


def _run(said: str) -> str:
    """``said`` without seams: ``Sha256Password`` is ``sha256_password``."""
    return "".join(filter(str.isalnum, said)).lower()

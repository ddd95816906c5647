"""`witnesses.yaml`: who vouches for checkpoints, how often they are asked, and for how long it may fail."""

import dataclasses
import re
import urllib.parse
from typing import Final

from cryptography import x509

from holdfast.errors import LedgerError, RulesError
from holdfast.ledger import note
from holdfast.policy.document import Section, Source
from holdfast.witness import cosignature, policy

EVERY_S: Final = 60  # how long the newest Records may stand without an outside witness
STAMP_EVERY_S: Final = 3600
EVERY_S_MIN: Final = 10
DURATION_S_MAX: Final = 31 * 24 * 3600
WITNESSES_MAX: Final = 16  # signed-note readers must accept that many signatures
URL_CHARS_MAX: Final = 1000
QUORUM_NAME: Final = "quorum"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.pem")


@dataclasses.dataclass(frozen=True, slots=True)
class WitnessRule:
    """A witness: its name in Records and policies, its submission prefix, and its key."""

    name: str
    url: str
    key: cosignature.CosignerKey


@dataclasses.dataclass(frozen=True, slots=True)
class TimestampRule:
    """A time-stamping authority: where it answers, and the certificates (PEM) that its tokens must lead to."""

    name: str
    url: str
    roots: str
    every_s: int = STAMP_EVERY_S
    roots_pem: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True)
class WitnessRules:
    """Who vouches. ``quorum`` is how many of the witnesses must; ``refuse_after_s`` None: Calls go on regardless."""

    witnesses: tuple[WitnessRule, ...] = ()
    quorum: int = 0
    every_s: int = EVERY_S
    timestamps: tuple[TimestampRule, ...] = ()
    refuse_after_s: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nobody outside is asked at all."""
        return not self.witnesses and not self.timestamps

    def policy(self, *logs: note.VerifierKey) -> policy.Policy:
        """The trust policy that these rules and the keys of the ledger make: the file for whoever verifies."""
        members = tuple(policy.Witness(rule.name, rule.key, rule.url) for rule in self.witnesses)
        groups = (policy.Group(QUORUM_NAME, self.quorum, tuple(rule.name for rule in self.witnesses)),)
        known = tuple(policy.Log(key) for key in logs)
        if not members:
            return policy.Policy(known, (), (), policy.NONE)
        return policy.Policy(known, members, groups, QUORUM_NAME)

    def with_roots(self, sources: tuple[Source, ...]) -> "WitnessRules":
        """These rules with the certificates that were read from the files they name.

        Raises:
            RulesError: a file holds no certificate.
        """
        data = {source.name: source.data for source in sources}
        for source in sources:
            _check_certificates(source)
        stamps = tuple(dataclasses.replace(rule, roots_pem=data[rule.roots]) for rule in self.timestamps)
        return dataclasses.replace(self, timestamps=stamps)


def parse_witnesses(section: Section) -> WitnessRules:
    """The rules in `witnesses.yaml`. The files under ``roots`` are not read here: see :meth:`WitnessRules.with_roots`.

    Raises:
        RulesError: a name or key twice, a URL or duration that is none, a quorum that nobody can be.
    """
    names: set[str] = set()
    witnesses = tuple(_witness(entry, names) for entry in section.sections("witnesses"))
    timestamps = tuple(_timestamp(entry, names) for entry in section.sections("timestamps"))
    for key, listed in (("witnesses", witnesses), ("timestamps", timestamps)):
        if len(listed) > WITNESSES_MAX:
            raise section.error(key, f"has {len(listed)} entries", f"Keep it to {WITNESSES_MAX}")
    publics = [rule.key.public for rule in witnesses]
    if len(set(publics)) < len(publics):
        raise section.error("witnesses", "names the same key twice", "One witness counts once")
    every_s = _duration(section, "every", EVERY_S)
    rules = WitnessRules(witnesses, _quorum(section, len(witnesses)), every_s, timestamps, _patience(section, every_s))
    if rules.refuse_after_s is not None and rules.is_empty:
        raise section.error("refuse_after", "has nobody to wait for", "Name a witness or a time stamp, or remove it")
    section.done()
    return rules


def _witness(entry: Section, names: set[str]) -> WitnessRule:
    rule_name, url, vkey = _name(entry, names), _url(entry), entry.text("vkey")
    try:
        key = cosignature.parse_vkey(vkey)
    except LedgerError as error:
        raise entry.error(
            "vkey", f"is not usable: {error}", "Paste the vkey that the witness's operator gave"
        ) from None
    entry.done()
    return WitnessRule(rule_name, url, key)


def _timestamp(entry: Section, names: set[str]) -> TimestampRule:
    rule_name, url, roots = _name(entry, names), _url(entry), entry.text("roots")
    if _FILE.fullmatch(roots) is None:
        raise entry.error("roots", "is no file name that ends in .pem", "Put the file beside witnesses.yaml")
    every_s = _duration(entry, "every", STAMP_EVERY_S)
    entry.done()
    return TimestampRule(rule_name, url, roots, every_s)


def _name(entry: Section, names: set[str]) -> str:
    name = entry.text("name")
    if _NAME.fullmatch(name) is None or name in {policy.NONE, QUORUM_NAME}:
        raise entry.error("name", "is no short name", "Use letters, digits and . _ -; not none, not quorum")
    if name in names:
        raise entry.error("name", f"{name} stands twice", "Records tell them apart by name")
    names.add(name)
    return name


def _url(entry: Section) -> str:
    url = entry.text("url")
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
        parts = urllib.parse.urlsplit("")
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= URL_CHARS_MAX
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or not is_plain:
        raise entry.error("url", "is no http or https address without a password", "Write https://HOST/PATH")
    if parts.query or parts.fragment:
        raise entry.error("url", "has a query or fragment", "Write https://HOST/PATH")
    return url.rstrip("/")


def _quorum(section: Section, count: int) -> int:
    value = section.raw("quorum", "all")
    match value:
        case "all":
            return count
        case "any" if count:
            return 1
        case int() if not isinstance(value, bool) and 1 <= value <= count:
            return value
    raise section.error("quorum", "is not any, all or a number of the witnesses", "Write any, all or a number")


def _duration(section: Section, key: str, default_s: int) -> int:
    text = section.text(key, f"{default_s}s")
    found = _DURATION.fullmatch(text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not EVERY_S_MIN <= seconds <= DURATION_S_MAX:
        raise section.error(key, "is no duration from 10s to 31d", "Write a number and s, m, h or d, such as 60s")
    return seconds


def _patience(section: Section, every_s: int) -> int | None:
    if "refuse_after" not in section:
        section.raw("refuse_after", None)
        return None
    seconds = _duration(section, "refuse_after", EVERY_S)
    if seconds <= every_s:
        raise section.error(
            "refuse_after", "is not longer than every", "One submission that fails would stop all Calls"
        )
    return seconds


def _check_certificates(source: Source) -> None:
    try:
        found = x509.load_pem_x509_certificates(source.data)
    except ValueError:
        found = []
    if not found:
        raise RulesError(source.name, 1, "holds no certificate in PEM", "Put the authority's root certificates there")

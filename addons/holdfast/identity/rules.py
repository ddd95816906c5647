"""``rules/identity.yaml`` as frozen rules: whom we believe, about what, and how it must be said."""

import dataclasses
import enum
import re
from typing import Final

from holdfast.identity.fetch import url_problem
from holdfast.identity.jwks import ALGORITHMS
from holdfast.identity.proxies import ProxyRule, parse_proxies
from holdfast.jsontext import Json
from holdfast.policy.document import Section

ALGORITHMS_DEFAULT: Final = ("RS256", "PS256", "ES256", "EdDSA")  # what issuers sign with unless told otherwise
LEEWAY_S_MAX: Final = 300  # clocks that differ more are broken
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")  # RFC 6749 3.3
_HEADER: Final = re.compile(r"[a-z0-9-]+")
_WELL_KNOWN: Final = "/.well-known/openid-configuration"  # OpenID Connect Discovery 4


class Source(enum.Enum):
    """Where an issuer keeps its keys; the value is the key in the rule file."""

    DISCOVERY = "discovery"
    JWKS_URI = "jwks_uri"
    JWKS_FILE = "jwks_file"
    PEM_URL = "pem_url"


@dataclasses.dataclass(frozen=True, slots=True)
class RequiredClaim:
    """A claim without which a token is refused: present, or equal to one of ``values``, or a list holding one."""

    claim: tuple[str, ...]
    values: tuple[Json, ...] | None
    is_list: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer of tokens and what its tokens must say.

    ``iss`` is compared byte for byte. ``location`` is a URL or path, by ``source``. ``forms`` says whether its tokens
    count as bearer tokens, as a trusted proxy's assertion, or both. Claim paths are tuples: one name, or a name in a
    name. ``token_age_s_max`` is 0 for no limit.
    """

    id: str
    iss: str
    source: Source
    location: str
    forms: frozenset[str]
    algorithms: frozenset[str]
    audiences: tuple[str, ...]
    typ: str
    leeway_s: int
    token_age_s_max: int
    name_claims: tuple[str, ...]
    groups_claim: tuple[str, ...]
    client_claims: tuple[str, ...]
    scopes: tuple[str, ...]
    required: tuple[RequiredClaim, ...]
    refresh_s: int
    max_stale_s: int


@dataclasses.dataclass(frozen=True, slots=True)
class IdentityRules:
    """Everything in ``rules/identity.yaml``.

    ``resource`` is the public URL of the gateway for RFC 9728, None to derive it from the request.
    """

    issuers: tuple[Issuer, ...]
    proxies: tuple[ProxyRule, ...]
    resource: str | None
    scopes_supported: tuple[str, ...]
    strip_headers: tuple[str, ...]

    def warnings(self) -> tuple[str, ...]:
        """What an operator should know at start although the rules parse."""
        found = []
        if not self.issuers:
            found.append("rules/identity.yaml lists no issuer: every request is refused. Add one under `issuers:`")
        named = {iss_id for proxy in self.proxies for iss_id in proxy.issuers}
        found.extend(
            f"issuer {issuer.id} is for assertions only, and no trusted proxy names it: its tokens are never accepted"
            for issuer in self.issuers
            if issuer.forms == {"assertion"} and issuer.id not in named
        )
        return tuple(found)


def parse_identity(section: Section) -> IdentityRules:
    """The rules in the top mapping of ``identity.yaml``.

    Raises:
        RulesError: an unknown key, a value that is unsafe, or two entries that contradict each other.
    """
    section.integer("version", low=1, high=1)
    issuers: list[Issuer] = []
    for entry in section.sections("issuers"):
        issuer = _issuer(entry)
        _refuse_twin(entry, issuer, issuers)
        issuers.append(issuer)
    rules = IdentityRules(
        issuers=tuple(issuers),
        proxies=parse_proxies(section, {issuer.id: issuer.iss for issuer in issuers if "assertion" in issuer.forms}),
        resource=_resource(section),
        scopes_supported=_scopes(section, "scopes_supported"),
        strip_headers=_headers(section),
    )
    section.done()
    return rules


def _issuer(entry: Section) -> Issuer:
    iss = entry.text("issuer")
    if not iss or "|" in iss or not iss.isprintable():
        raise entry.error("issuer", "is empty or has a character that no issuer has", "Copy the `iss` of its tokens")
    source, location = _source(entry, iss)
    max_stale_s = entry.integer("max_stale_s", 3600, low=60, high=7 * 86400)
    issuer = Issuer(
        id=_id(entry),
        iss=iss,
        source=source,
        location=location,
        forms=_forms(entry),
        algorithms=_algorithms(entry),
        audiences=_audiences(entry),
        typ=entry.choice("typ", ("any", "at+jwt"), "any"),
        leeway_s=entry.integer("leeway_s", 30, high=LEEWAY_S_MAX),
        token_age_s_max=entry.integer("token_age_s_max", 86400),
        name_claims=entry.texts("name_claim", ("name", "preferred_username", "email")),
        groups_claim=entry.texts("groups_claim", ("groups",)),
        client_claims=entry.texts("client_claim", ("azp", "client_id")),
        scopes=_scopes(entry, "required_scopes"),
        required=tuple(_required(claim) for claim in entry.sections("required_claims")),
        refresh_s=entry.integer("refresh_s", min(300, max_stale_s), low=10, high=max_stale_s),
        max_stale_s=max_stale_s,
    )
    entry.done()
    return issuer


def _refuse_twin(entry: Section, issuer: Issuer, others: list[Issuer]) -> None:
    for other in others:
        if other.id == issuer.id:
            raise entry.error("id", "is taken by another issuer", "Give each issuer an id of its own")
        if other.iss == issuer.iss and other.forms & issuer.forms:
            raise entry.error(
                "issuer", f"is also the issuer of {other.id}", "Keep one entry per issuer and form of credential"
            )


def _id(entry: Section) -> str:
    name = entry.text("id")
    if not _ID.fullmatch(name):
        raise entry.error("id", "is not a short name", "Use lower-case letters, digits and hyphens")
    return name


def _source(entry: Section, iss: str) -> tuple[Source, str]:
    given = [source for source in Source if source.value in entry]
    if len(given) != 1:
        names = ", ".join(source.value for source in Source)
        key = given[1].value if given else "id"
        raise entry.error(key, f"stands beside {len(given)} key sources where one is needed", f"Give one of: {names}")
    source = given[0]
    if source is Source.DISCOVERY:
        if not entry.flag(source.value):
            raise entry.error(source.value, "is false", "Write `discovery: true`, or give jwks_uri or jwks_file")
        location, key = iss.rstrip("/") + _WELL_KNOWN, "issuer"
    else:
        location, key = entry.text(source.value), source.value
    problem = None if source is Source.JWKS_FILE else url_problem(location)
    if problem or not location:
        raise entry.error(key, problem or "is empty", "Give an https URL")
    if source is Source.PEM_URL and not location.endswith("/"):
        raise entry.error(key, "does not end in a slash", "The key's name is appended to it")
    return source, location


def _forms(entry: Section) -> frozenset[str]:
    forms = frozenset(entry.texts("accept", ("bearer",)))
    if not forms or not forms <= {"bearer", "assertion"}:
        raise entry.error("accept", "is not a form of credential", "Use bearer, assertion, or [bearer, assertion]")
    return forms


def _algorithms(entry: Section) -> frozenset[str]:
    names = entry.texts("algorithms", ALGORITHMS_DEFAULT)
    if not names:
        raise entry.error("algorithms", "is empty", f"Use some of: {', '.join(sorted(ALGORITHMS))}")
    for name in names:
        if name.lower() == "none":
            raise entry.error("algorithms", "allows none, which anybody can forge", "Remove it")
        if name.upper().startswith("HS"):
            # With a public key as its secret, everybody who can read the key can sign.
            raise entry.error("algorithms", f"allows {name}, which signs with a shared secret", "Remove it")
        if name not in ALGORITHMS:
            raise entry.error("algorithms", f"has {name!r}", f"Use some of: {', '.join(sorted(ALGORITHMS))}")
    return frozenset(names)


def _audiences(entry: Section) -> tuple[str, ...]:
    audiences = entry.texts("audiences")
    if not audiences or not all(audiences):
        raise entry.error("audiences", "is empty", "Name the `aud` that tokens for this gateway carry, usually its URL")
    return audiences


def _scopes(section: Section, key: str) -> tuple[str, ...]:
    scopes = section.texts(key, ())
    if not all(_SCOPE.fullmatch(scope) for scope in scopes):
        raise section.error(key, "has a scope with a space, a quote or a backslash", "Write each scope as its own text")
    return scopes


def _required(entry: Section) -> RequiredClaim:
    claim = entry.texts("claim")
    if not claim:
        raise entry.error("claim", "is empty", "Name the claim")
    values: tuple[Json, ...] | None = None
    given = [key for key in ("equals", "one_of", "contains") if key in entry]
    if len(given) > 1:
        raise entry.error(given[1], f"stands beside {given[0]}", "Keep one; with none, the claim must be present")
    if given:
        values = _values(entry, given[0])
    entry.done()
    return RequiredClaim(claim, values, is_list=given == ["contains"])


def _values(entry: Section, key: str) -> tuple[Json, ...]:
    raw = entry.raw(key)
    values = raw if isinstance(raw, list) and key != "equals" else [raw]
    if not values or not all(isinstance(value, str | bool | int) for value in values):
        raise entry.error(key, "is not a text, number or flag", "Write the value as it stands in the token")
    return tuple(values)


def _resource(section: Section) -> str | None:
    resource = section.text_or_none("resource")
    problem = None if resource is None else url_problem(resource)
    if problem:
        raise section.error("resource", problem, "Give the https URL that clients connect to, or remove the key")
    return resource


def _headers(section: Section) -> tuple[str, ...]:
    names = tuple(name.lower() for name in section.texts("strip_headers", ()))
    if not all(_HEADER.fullmatch(name) for name in names):
        raise section.error("strip_headers", "has a text that is no header name", "Use letters, digits and hyphens")
    return names

"""Rules and Calls for the tests of this folder, as short as they can be written."""

import textwrap

from holdfast.call import Call, Direction
from holdfast.identity.caller import Caller
from holdfast.jsontext import Json
from holdfast.policy.access import AccessRules, judge_access, parse_access
from holdfast.policy.annotations import Annotations
from holdfast.policy.decision import Allow, Deny, Hold
from holdfast.policy.document import Section, Source, parse_document
from holdfast.policy.example import make_call, make_caller, make_findings
from holdfast.policy.holding import ApprovalRules, judge_approval, parse_approval

SERVER = "crm"


def section(text: str, name: str = "some.yaml") -> Section:
    return parse_document(Source(name, textwrap.dedent(text).encode()))


def access(text: str) -> AccessRules:
    """The access rules whose list is ``text``."""
    return parse_access(section("version: 1\nrules:\n" + textwrap.indent(textwrap.dedent(text), "  "), "access.yaml"))


def approval(text: str, approvers: str = "") -> ApprovalRules:
    """The approval rules whose list is ``text``."""
    head = "version: 1\n" + (f"approvers:\n{textwrap.indent(textwrap.dedent(approvers), '  ')}\n" if approvers else "")
    return parse_approval(section(head + "rules:\n" + textwrap.indent(textwrap.dedent(text), "  "), "approval.yaml"))


def tool(name: str, arguments: Json = None) -> Call:
    return make_call("tools/call", name, arguments, {}, Direction.TO_SERVER)


def call(method: str, params: Json = None, *, direction: Direction = Direction.TO_SERVER) -> Call:
    return Call(method, params, None if method.startswith("notifications/") else 1, direction)


def caller(*groups: str, sub: str = "ann", iss: str = "https://idp.example", client: str | None = None) -> Caller:
    return make_caller(groups, sub, iss, client)


def judge(text: str, what: Call, who: Caller | None = None, server: str = SERVER) -> Allow | Deny:
    return judge_access(access(text), what, who or caller(), server)


def allowed(text: str, what: Call, who: Caller | None = None, server: str = SERVER) -> bool:
    return isinstance(judge(text, what, who, server), Allow)


def judge_hold(
    rules: ApprovalRules,
    what: Call,
    findings: dict[str, int] | None = None,
    annotations: Annotations | None = None,
) -> Allow | Hold:
    return judge_approval(rules, what, caller("mcp-users"), SERVER, make_findings(findings or {}), annotations)

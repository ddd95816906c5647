"""What a list may show a Caller: every entry that some rule of `access.yaml` could let them call.

At list time nobody knows the arguments. So an allow rule counts as if its conditions were met, and a deny rule counts
only if it has none: an entry is shown where some arguments could pass, and hidden where none can. The Call itself is
judged anyway, with its arguments: a list decides what is seen, never what is done.
"""

import re
from typing import Final

from holdfast.call import Call
from holdfast.identity.caller import Caller
from holdfast.policy.access import AccessRule, AccessRules
from holdfast.policy.names import climbs
from holdfast.policy.scope import Facts, ambiguity

TEMPLATE_CHARS_MAX: Final = 2_000  # of a URI template; a longer one is hidden, since nobody could read it either
_EXPRESSION: Final = re.compile(r"\{[^{}]*\}")  # RFC 6570, section 2.2


def could_call(rules: AccessRules, call: Call, caller: Caller, server: str) -> bool:
    """Whether ``caller`` may make ``call`` to ``server`` with some arguments, whatever those of ``call`` are."""
    if ambiguity(call) or call.name is None:
        return False
    facts, name = Facts(call, caller, server), call.name
    for rule in rules.rules:
        if _is_about(rule, facts) and (rule.scope.name is None or rule.scope.name.fit(name)):
            if rule.allows:
                return True
            if not rule.scope.conditions:
                return False
    return False


def could_fill(rules: AccessRules, call: Call, caller: Caller, server: str) -> bool:
    """Like :func:`could_call`, where the name of ``call`` is a URI template (RFC 6570): whether some filling may pass.

    A deny rule reads the template as the text it is, so what it names is hidden whatever is filled in. An allow rule
    needs only one filling that it could let pass.
    """
    template = call.name or ""
    if ambiguity(call) or not 0 < len(template) <= TEMPLATE_CHARS_MAX or climbs(template):
        return False
    pieces = _EXPRESSION.split(template)
    facts = Facts(call, caller, server)
    for rule in rules.rules:
        if not _is_about(rule, facts):
            continue
        names = rule.scope.name
        if rule.allows and (names is None or any(glob.could_fit_narrowly(pieces) for glob in names.globs)):
            return True
        if not rule.allows and not rule.scope.conditions and (names is None or names.fit(template)):
            return False
    return False


def _is_about(rule: AccessRule, facts: Facts) -> bool:
    return rule.scope.why_not_around(facts) is None and rule.scope.who.why_not(facts.caller) is None

"""An explanation as a person reads it on a terminal."""

import json
from collections.abc import Iterator
from typing import Any


def lines_of(explained: dict[str, Any]) -> Iterator[str]:
    """The lines for what :func:`holdfast.policy.explain.explain` returned."""
    yield from _server(explained["server"])
    yield from _judgement("access", explained["access"])
    if explained["approval"] is None:
        yield "approval  not asked: the call is denied"
    else:
        yield from _judgement("approval", explained["approval"])
        yield from _terms(explained["approval"].get("terms"))
    yield from _masking(explained["masking"])
    yield f"rules     {explained['rules']}"


def _server(server: dict[str, Any] | None) -> Iterator[str]:
    if server is not None:
        why_not = server["why_not"]
        said = f"deny by rule {server['id']}: {why_not}" if why_not else "allow: the caller may use it"
        yield f"server    {server['id']} at {server['upstream']}: {said}"


def _judgement(title: str, judged: dict[str, Any]) -> Iterator[str]:
    by = f"by rule {judged['rule']}" if judged["rule"] else "by no rule"
    yield f"{title:<9} {judged['effect']} {by}: {judged['reason']}"
    for tried in judged["tried"]:
        yield f"          - {tried['rule']} (line {tried['line']}): {tried['why_not'] or 'matches'}"


def _terms(terms: dict[str, Any] | None) -> Iterator[str]:
    if terms is None:
        return
    who = [*(f"group {group}" for group in terms["approver_groups"]), *terms["approver_ids"]]
    yield f"          may approve: {', '.join(who)}; needed: {terms['approvals_needed']}"
    yield (
        f"          the client waits {terms['wait_s']} s, the hold expires after {terms['expires_s']} s, "
        f"an approval is good for {terms['use_s']} s"
    )
    if terms["reason_required"]:
        yield "          the approver must give a reason"


def _masking(masked: dict[str, Any]) -> Iterator[str]:
    by = f"by override {masked['override']}" if masked["override"] else "which holds where no override does"
    yield f"masking   {len(masked['findings'])} findings; profile {masked['profile']}, {by}"
    for finding in masked["findings"]:
        yield f"          - {finding['path']}: {finding['entity']} by rule {finding['rule']}"
    yield f"          kept: {json.dumps(masked['kept'], ensure_ascii=False)}"
    if masked["refused"]:
        yield f"          {masked['refused']}"
        return
    yield f"          the server sees {'the same' if masked['forwarded_as_kept'] else 'more than what is kept'}"

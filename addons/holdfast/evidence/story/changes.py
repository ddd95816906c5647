"""Changes: what came into force while the Records were written, rule file by rule file."""

from collections.abc import Iterator, Mapping
from typing import Final

from holdfast.evidence.files.entry import Entry
from holdfast.evidence.story.facts import ChangeFact, RulesFact
from holdfast.evidence.story.reading import operator_text


class ChangeFinder:
    """Fed with Records in order, finds what changed with each.

    Args:
        rules: the files of rule sets that are known from before the range, by digest.
    """

    def __init__(self, rules: Mapping[str, Mapping[str, str]]) -> None:
        self._rules: Final = dict(rules)
        self._loaded = ""
        self._seen: Final[dict[str, str]] = {}  # options and version as last seen

    def rules(self, entry: Entry, fact: RulesFact) -> Iterator[ChangeFact]:
        """One change for each file of a rule set that was loaded, and for each that is gone."""
        previous = self._rules.get(self._loaded or fact.previous)
        self._rules[fact.digest_hex] = fact.files
        self._loaded = fact.digest_hex
        for name in sorted({*fact.files, *(previous or {})}):
            new, old = fact.files.get(name, ""), (previous or {}).get(name, "")
            change = "in force" if previous is None else _word(new, old)
            yield self._fact(entry, "rules", name, change, (new, old), fact.digest_hex)

    def others(self, entry: Entry) -> Iterator[ChangeFact]:
        """Tools' definitions, the ledger's key, the options, the version."""
        match entry.typ:
            case "tool.defined":
                tool = f"{entry.text('dst', 'server')} {entry.text('tool', 'name')}"
                digests = entry.text("tool", "digest"), entry.text("tool", "previous")
                yield self._fact(entry, "tool definition", tool, _word(*digests), digests)
            case "tool.pinned" | "tool.screened":
                tool = f"{entry.text('dst', 'server')} {entry.text('tool', 'name')}"
                change = "accepted" if entry.typ == "tool.pinned" else f"screened: {entry.text('dec', 'rule')}"
                yield self._fact(entry, "tool definition", tool, change, (entry.text("tool", "digest"), ""))
            case "ledger.rotated":
                keys = entry.text("keys", "new"), entry.text("keys", "old")
                yield self._fact(entry, "ledger key", entry.text("log"), "changed", keys)
            case _:
                pass
        for kind, member in (("options", "config"), ("version", "version")):
            value = entry.text("gw", member)
            last = self._seen.get(kind)
            if value and value != last:
                self._seen[kind] = value
                change = "in force" if last is None else "changed"
                yield self._fact(entry, kind, "gateway", change, (value, last or ""))

    @staticmethod
    def _fact(
        entry: Entry, kind: str, what: str, change: str, digests: tuple[str, str], ruleset: str = ""
    ) -> ChangeFact:
        by, reason = operator_text(entry), entry.text("reason")
        return ChangeFact(entry.index, entry.at, kind, what, change, *digests, ruleset, by, reason)


def _word(new: str, old: str) -> str:
    if new == old:
        return "same"
    return "changed" if new and old else "new" if new else "removed"

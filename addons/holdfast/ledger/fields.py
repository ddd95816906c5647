"""The table of a Record's members, schema version 1: name, shape, meaning. Standard library only.

`docs/records.md` prints this table and a test holds the two together.
"""

from typing import Final

from holdfast.ledger.shape import (
    CODE,
    COMMITMENT,
    HEX_DIGEST,
    SALT,
    TIME,
    UUID,
    UUID7,
    Boolean,
    Either,
    Field,
    Integer,
    ListOf,
    MapOf,
    Members,
    Null,
    OneOf,
    Text,
    optional,
)

GROUPS_MAX: Final = 20  # enough to judge by; more would crowd a Record out of its 16 KiB
ACTORS_MAX: Final = 10
REFS_MAX: Final = 128  # a batch of 100 Calls and what belongs to it
COUNTERS_MAX: Final = 100
CHANGED_MAX: Final = 20  # members of a definition; a tool has about eight
ERASED_MAX: Final = 128  # commitments of 76 characters; more would crowd a Record out of its 16 KiB
PAYLOAD_MEMBERS: Final = ("req", "res", "view", "statement", "found")

_TEXT, _COUNT, _TEXT_OR_NULL = Text(), Integer(), Either(Text(), Null())


def _payload(*more: Field) -> Members:
    return Members(
        Field("c", COMMITMENT, "commitment to the masked payload, see FORMAT.md"),
        Field("bytes", _COUNT, "length of the masked payload"),
        Field("ct", _TEXT, "content type of the masked payload"),
        *more,
    )


# Written by the writer into every Record.
HEAD: Final = (
    Field("v", Integer(1), "schema version: 1"),
    Field("log", _TEXT, "origin of the ledger"),
    Field("n", _COUNT, "index of this Record, from 0"),
    Field("id", UUID7, "name of this Record that outlives an export"),
    Field("typ", CODE, "what kind of Record this is, see the second table"),
    Field("ts", TIME, "wall clock when the Record was written"),
    Field("mono", _COUNT, "monotonic clock of the process, nanoseconds; never goes back within one `boot`"),
    Field("boot", UUID, "drawn anew whenever the ledger is opened, and when `mono` would pass 2^53 - 1"),
    Field("salt", SALT, "random, so that a leaf hash says nothing about a Record that is withheld"),
)

_RPC: Final = Members(
    optional("id", Either(Text(), Integer(-(2**53) + 1), Null()), "JSON-RPC id, masked"),
    Field("method", _TEXT, "JSON-RPC method; `llm/…` for an LLM API"),
    Field("dir", OneOf("to_server", "to_client"), "which way the message travels"),
    Field("kind", OneOf("request", "notification", "reply"), "what the message is"),
)
_WHO: Final = Members(
    Field("iss", _TEXT, "issuer of the credential"),
    Field("sub", _TEXT, "subject; with `iss` the identity"),
    optional("name", _TEXT, "name for people, masked"),
    optional("aud", _TEXT, "audience the credential was made for"),
    optional("client", _TEXT_OR_NULL, "OAuth client"),
    optional("groups", ListOf(_TEXT, GROUPS_MAX), "groups, the first 20"),
    optional("auth", CODE, "how the Caller was established: `jwt`, `trusted-proxy`, `saml` or `key`"),
    optional("token", HEX_DIGEST, "digest of the token's `jti`, or of the token"),
    optional("exp", TIME, "when the credential ends"),
    optional(
        "act", ListOf(_TEXT, ACTORS_MAX), "delegation chain of RFC 8693, outermost first, each issuer, bar, subject"
    ),
)
_DEC: Final = Members(
    Field("effect", OneOf("allow", "deny", "hold"), "the Decision"),
    optional("rule", _TEXT_OR_NULL, "id of the Rule that decided; null where none matched"),
    optional("reason", _TEXT, "why, in words without content"),
)
_APPR: Final = Members(
    Field("id", _TEXT, "id of the Hold"),
    optional("use", _COUNT, "which use of the Approval this is"),
    optional("request", HEX_DIGEST, "keyed digest of the request that is held"),
    optional("by", _TEXT, "who approved"),
)
_APPROVER: Final = Members(
    optional("iss", _TEXT, "issuer of the approver's token"),
    optional("sub", _TEXT, "subject of the approver's token"),
    optional("key", _TEXT, "id of the approver's key"),
    optional("name", _TEXT, "name for people"),
    optional("groups", ListOf(_TEXT, GROUPS_MAX), "groups that made this an approver"),
    optional("id", _TEXT, "id of the approver in the rules"),
)
_HEAD: Final = Members(
    Field("size", _COUNT, "its size"),
    Field("root", HEX_DIGEST, "its root"),
)
_OPERATOR: Final = Members(
    Field("uid", _COUNT, "user id at the operating system"),
    optional("name", _TEXT, "name of that user"),
)
_ABANDONED: Final = Members(
    Field("log", _TEXT, "origin of the ledger that could not be continued"),
    Field("size", _COUNT, "size of its last checkpoint"),
    Field("root", HEX_DIGEST, "root at that size"),
    optional("found", _COUNT, "Records that its database still held"),
    optional("vkey", _TEXT, "public key of that ledger"),
)
_EXPORT: Final = Members(
    Field("digest", HEX_DIGEST, "SHA-256 of the package"),
    Field("first", _COUNT, "index of its first Record"),
    Field("size", _COUNT, "size at its end"),
    optional("root", HEX_DIGEST, "root at that size"),
    optional("withheld", _COUNT, "Records of which it has the leaf hash alone"),
    optional("bytes", _COUNT, "length of the package"),
)
_CALLS_MISSED: Final = Members(
    optional("since", TIME, "time of the last Record before this start"),
    optional("seconds", _COUNT, "how long nothing was recorded"),
    optional("calls", _COUNT, "Calls whose Reply never came"),
)

# Of a Draft's body. Which of them a typ has: KINDS in record.py.
BODY: Final = (
    Field("call", UUID, "joins the Records of one Call"),
    Field("ref", ListOf(_COUNT, REFS_MAX), "indices of earlier Records that this one belongs to"),
    Field("sid", HEX_DIGEST, "digest of the MCP session id"),
    Field("rpc", _RPC, "the JSON-RPC message"),
    Field("who", _WHO, "the Caller"),
    Field(
        "src",
        Members(
            Field("ip", _TEXT, "address of the client"),
            optional("port", _COUNT, "its port"),
            optional("ua", _TEXT_OR_NULL, "its `User-Agent`, masked"),
        ),
        "where the request came from",
    ),
    Field(
        "dst",
        Members(
            Field("server", _TEXT, "name of the server"),
            optional("host", _TEXT, "its host and port"),
            optional("path", _TEXT, "its endpoint"),
        ),
        "where the Call goes",
    ),
    Field(
        "mcp",
        Members(
            optional("version", _TEXT, "MCP protocol version"),
            optional("transport", OneOf("post", "sse", "get", "delete"), "how the message was carried"),
            optional("name", _TEXT_OR_NULL, "tool, prompt, resource or model, masked"),
            optional("definition", HEX_DIGEST, "digest of the tool's definition as last seen"),
        ),
        "MCP's view of the message",
    ),
    Field("req", _payload(), "the Call as kept"),
    Field("res", _payload(optional("http", Integer(100), "HTTP status")), "the Reply as kept"),
    Field("view", _payload(), "what the approver was shown"),
    Field("statement", _payload(), "the approver's signed statement, a DSSE envelope"),
    Field(
        "found", _payload(), "what masking found, one by one: rule, entity, path, length, score, recognizer, version"
    ),
    Field("dec", _DEC, "the Decision"),
    Field("rules", HEX_DIGEST, "digest of the Ruleset in force"),
    Field(
        "mask",
        Members(
            Field("engine", _TEXT, "masking engine"),
            optional("version", _TEXT, "its version"),
            optional("config", HEX_DIGEST, "digest of its configuration"),
            optional("counts", MapOf(_COUNT, COUNTERS_MAX), "Findings by entity"),
            optional("restored", MapOf(_COUNT, COUNTERS_MAX), "masks that went on as their values, by entity"),
        ),
        "what masking found",
    ),
    Field("appr", _APPR, "the Hold or Approval"),
    Field(
        "out",
        Members(
            Field("ok", Boolean(), "whether it succeeded"),
            optional("code", Either(Text(), Integer(-(2**53) + 1)), "status or error code"),
            optional("ms", _COUNT, "how long it took, milliseconds"),
            optional("hidden", _COUNT, "entries of the list that this Caller was not shown"),
        ),
        "how it ended",
    ),
    Field(
        "gw",
        Members(
            Field("version", _TEXT, "version of Holdfast"),
            optional("build", _TEXT, "build of Holdfast"),
            optional("config", HEX_DIGEST, "digest of the options"),
        ),
        "the gateway",
    ),
    Field(
        "prev",
        Members(Field("size", _COUNT, "size before this start"), Field("root", HEX_DIGEST, "root at that size")),
        "the ledger as this start found it",
    ),
    Field("clean", Boolean(), "whether this process had recorded its `ledger.stop` the last time"),
    Field(
        "process",
        OneOf("gateway", "writer"),
        "whose start or stop this is, where the ledger's writer runs apart; absent where one process is both",
    ),
    Field("missed", _CALLS_MISSED, "what the break before this start cost"),
    Field("counters", MapOf(_COUNT, COUNTERS_MAX), "counts since the start, by name"),
    Field("files", MapOf(HEX_DIGEST, COUNTERS_MAX), "SHA-256 of each rule file, by name"),
    Field(
        "engine",
        Members(
            Field("scan", _TEXT, "what looks ahead for the recognizers: hyperscan, re2 or pure; none with a model"),
            Field("versions", MapOf(_TEXT, COUNTERS_MAX), "versions of the packages that it finds with, by name"),
            optional(
                "model",
                Members(Field("name", _TEXT, "what it calls itself"), Field("version", _TEXT, "its version")),
                "the spaCy model that reads texts",
            ),
        ),
        "with what masking finds under these rules",
    ),
    Field("previous", Either(HEX_DIGEST, Null()), "digest of the Ruleset before"),
    Field("cause", CODE, "why it was refused, a word of the `Cause` table"),
    Field("rule", _TEXT_OR_NULL, "id of the Rule that refused"),
    Field("reason", _TEXT, "why, in words, masked"),
    Field("bytes", _COUNT, "length of what was refused, or of the part that goes back"),
    Field("digest", HEX_DIGEST, "keyed digest of what was refused, or of the part that goes back"),
    Field("http", Integer(100), "HTTP status of the answer"),
    Field("expires", TIME, "until when the Hold may be decided"),
    Field("decision", OneOf("approve", "deny"), "what the approver said"),
    Field("assurance", OneOf("signature", "token"), "what vouches for the approver"),
    Field("approver", _APPROVER, "who decided"),
    Field(
        "outcome",
        OneOf("used", "denied", "expired", "abandoned", "pending", "interrupted"),
        "how the Hold ended",
    ),
    Field("erased", ListOf(COMMITMENT, ERASED_MAX), "commitments of payloads that were erased"),
    Field("basis", OneOf("request", "retention"), "why they may be erased: somebody's request, or the written policy"),
    Field("before", TIME, "time before which Records were written whose payloads the policy lets go"),
    Field("retention", HEX_DIGEST, "SHA-256 of the retention policy in force"),
    Field("operator", _OPERATOR, "who asked, as the operating system says"),
    Field(
        "keys",
        Members(
            Field("old", _TEXT, "vkey of the key that signed until here"),
            Field("new", _TEXT, "vkey of the key that signs every checkpoint after this Record"),
            optional("until", TIME, "until when the old key signs beside the new one"),
        ),
        "the change of the ledger's key",
    ),
    Field("abandoned", _ABANDONED, "the ledger before this one, and what of it is lost"),
    Field(
        "witness",
        Members(
            Field("name", _TEXT, "its name in the rules"),
            Field("kind", OneOf("witness", "timestamp"), "whether it cosigns or stamps"),
        ),
        "who outside vouches for checkpoints",
    ),
    Field("head", _HEAD, "the last checkpoint that it has vouched for"),
    Field("since", TIME, "when it last vouched"),
    Field("export", _EXPORT, "the evidence package that was built"),
    Field(
        "tool",
        Members(
            optional(
                "kind", OneOf("tool", "prompt", "resource", "template", "server"), "what is defined; a tool if absent"
            ),
            Field("name", _TEXT, "its name, masked; of resources the URI"),
            Field("digest", HEX_DIGEST, "SHA-256 of its definition as canonical JSON, masked"),
            optional("pin", HEX_DIGEST, "keyed digest of its definition as the server sent it"),
            optional("previous", HEX_DIGEST, "digest of the definition before, as this gateway saw it"),
            optional("changed", ListOf(_TEXT, CHANGED_MAX), "members that are not as in the pinned definition"),
        ),
        "the definition of a tool, prompt or resource",
    ),
)

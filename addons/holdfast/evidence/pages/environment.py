"""How values become HTML: escaped, hidden characters spelled out, in a page that may load and run nothing foreign."""

import base64
import datetime as dt
import functools
import hashlib
import importlib.resources
from typing import Any, Final

import jinja2
import markupsafe

from holdfast.approval.visible import visible
from holdfast.evidence.pages.bounds import CELL_CHARS_MAX
from holdfast.evidence.story.gaps import duration_text
from holdfast.evidence.tables.plain import visible_lines
from holdfast.evidence.tables.population import counts_text

_THIN_SPACE: Final = "\u202f"  # between thousands, so that no line ends within a number
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def render(template: str, /, **values: Any) -> bytes:
    """The page as UTF-8 HTML."""
    return environment().get_template(template).render(**values).encode("utf-8")


@functools.cache
def environment() -> jinja2.Environment:
    """Jinja2 with every value escaped and its hidden characters spelled out."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("holdfast.evidence", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Every value that a template prints passes here, so none can hide a character or turn the line around.
        finalize=_finalize,
    )
    made.filters |= {
        "at": at_text,
        "coded": coded,
        "clock": _clock,
        "day": _day,
        "took": duration_text,
        "counts": counts_text,
        "digest": _digest,
        "lines": lambda text: markupsafe.escape(visible_lines(text)),
        "number": number,
        "size": size,
        "short": short,
    }
    style, script = _text("page.css"), _text("page.js")
    made.globals |= {
        "style": markupsafe.Markup(style),  # noqa: S704 -- our own file
        "script": markupsafe.Markup(script),  # noqa: S704 -- our own file
        "policy": policy(style, script),
    }
    return made


def policy(style: str, script: str) -> str:
    """The Content Security Policy of a page: this style, this script, nothing else from anywhere.

    CSP Level 3, 2.3.1: a hash source is the digest of what stands between the tags.
    """
    return (
        f"default-src 'none'; style-src '{_source(style)}'; script-src '{_source(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def number(count: int) -> markupsafe.Markup:
    """``12 345``."""
    return markupsafe.Markup(f"{count:,}".replace(",", _THIN_SPACE))  # noqa: S704 -- digits


def size(count_bytes: int) -> str:
    """``1.4 MB``, by thousands."""
    value = float(count_bytes)
    for unit in _UNITS[:-1]:
        if value < 1000:  # noqa: PLR2004 -- SI units
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} {_UNITS[-1]}"


def short(text: str, chars_max: int = CELL_CHARS_MAX) -> str:
    """``text`` with hidden characters spelled out, cut after ``chars_max`` of them, with how many more there were."""
    shown = visible(text[: chars_max + 1])
    if len(text) <= chars_max and len(shown) <= chars_max:
        return shown
    return f"{shown[:chars_max]}… (cut; {len(text)} characters)"


def coded(text: str) -> markupsafe.Markup:
    """``text`` with what stands between backticks as code."""
    pieces = text.split("`")
    return markupsafe.Markup("").join(
        markupsafe.Markup("<code>{}</code>").format(piece) if place % 2 else piece for place, piece in enumerate(pieces)
    )


def at_text(at: dt.datetime) -> str:
    """``2026-11-20 08:58:00``, in UTC."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _text(name: str) -> str:
    return importlib.resources.files("holdfast.evidence").joinpath("templates", name).read_text("utf-8")


def _source(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _finalize(value: Any) -> Any:
    # The thin space of our own numbers would be spelled out like any other unusual space: numbers come as Markup.
    if isinstance(value, markupsafe.Markup):
        return value
    return visible(value) if isinstance(value, str) else value


def _clock(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%H:%M")


def _day(at: dt.datetime) -> str:
    return f"{at.day} {at.strftime('%B %Y')}"


def _digest(text: str) -> markupsafe.Markup:
    return markupsafe.Markup('<code class="digest">{}</code>').format(visible(text))

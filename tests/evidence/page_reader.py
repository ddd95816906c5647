"""A page as a program reads it: elements in order, what they nest in, and what an accessible page must have."""

import base64
import dataclasses
import hashlib
import html.parser
import itertools
import re

_VOID = {"meta", "input", "br"}
_TARGETS = {"href", "src", "srcset", "action", "formaction", "data", "poster", "xlink:href", "background", "ping"}


@dataclasses.dataclass
class Element:
    tag: str
    attrs: dict[str, str]
    parents: tuple["Element", ...]
    text: str = ""

    def within(self, tag: str) -> "Element | None":
        return next((parent for parent in reversed(self.parents) if parent.tag == tag), None)


class Page(html.parser.HTMLParser):
    """Raises at once where tags do not match."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.source = data.decode("utf-8")
        self.feed(self.source)
        self.close()
        assert not self._open, self._open[-1].tag

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in _VOID:
            self._open.append(self.elements[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}, tuple(self._open)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> where <{self._open[-1].tag}> is open"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    @property
    def ids(self) -> list[str]:
        return [element.attrs["id"] for element in self.elements if "id" in element.attrs]

    @property
    def targets(self) -> list[str]:
        return [value for element in self.elements for name, value in element.attrs.items() if name in _TARGETS]

    @property
    def policy(self) -> str:
        (policy,) = [meta for meta in self.all("meta") if "Content-Security-Policy" in meta.attrs.values()]
        return policy.attrs["content"]


def faults_of(page: Page) -> list[str]:
    """What somebody with a screen reader, a keyboard or a suspicion would complain about."""
    return [*_foreign(page), *_policy(page), *_structure(page), *_tables(page), *_charts(page)]


def _foreign(page: Page) -> list[str]:
    tags = {element.tag for element in page.elements}
    forbidden = {"link", "iframe", "object", "embed", "img", "form", "base", "audio", "video", "portal", "frame"}
    faults = [f"<{tag}>" for tag in sorted(tags & forbidden)]
    for element in page.elements:
        faults += [f"{name} on <{element.tag}>" for name in element.attrs if name.startswith("on") or name == "style"]
    faults += [target for target in page.targets if re.match(r"[a-z][a-z0-9+.-]*:|//", target, re.IGNORECASE)]
    style = "".join(element.text for element in page.all("style"))
    return faults + [word for word in ("url(", "@import", "expression(", "image(") if word in style]


def _policy(page: Page) -> list[str]:
    parts = dict(part.strip().split(" ", 1) for part in page.policy.split(";"))
    faults = [] if parts["default-src"] == "'none'" else ["default-src"]
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        (element,) = page.all(tag)
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        faults += [] if parts[name] == f"'sha256-{digest}'" else [name]
    return faults + [word for word in ("unsafe", "http", "data:", "*") if word in page.policy]


def _structure(page: Page) -> list[str]:
    faults = [f"id {name} twice" for name in set(page.ids) if page.ids.count(name) > 1]
    headings = [element for element in page.elements if re.fullmatch("h[1-6]", element.tag)]
    levels = [int(heading.tag[1]) for heading in headings]
    faults += ["an empty heading" for heading in headings if not heading.text.strip()]
    faults += [] if levels[:1] == [1] and levels.count(1) == 1 else ["not exactly one h1 that comes first"]
    faults += [f"h{one} then h{other}" for one, other in itertools.pairwise(levels) if other > one + 1]
    for element in page.elements:
        for name in ("aria-labelledby", "for"):
            faults += [f"{name}={ref}" for ref in element.attrs.get(name, "").split() if ref not in page.ids]
    labelled = {label.attrs.get("for") for label in page.all("label")}
    faults += ["an input without a label" for field in page.all("input") if field.attrs.get("id") not in labelled]
    faults += ["an empty link" for link in page.all("a") if not link.text.strip()]
    regions = [element for element in page.elements if element.attrs.get("role") == "region"]
    faults += ["a region without a name" for element in regions if not element.attrs.get("aria-label", "").strip()]
    faults += [] if page.all("html")[0].attrs.get("lang") == "en" else ["no language"]
    faults += [] if len(page.all("main")) == 1 else ["not one main"]
    return faults + ([] if page.all("title")[0].text.strip() else ["no title"])


def _tables(page: Page) -> list[str]:
    faults = []
    for table in page.all("table"):
        inside = [element for element in page.elements if element.within("table") is table]
        captions = [element for element in inside if element.tag == "caption" and element.text.strip()]
        faults += [] if len(captions) == 1 else ["a table without a caption"]
        faults += ["a th without a scope" for element in inside if element.tag == "th" and "scope" not in element.attrs]
        heads = [element for element in inside if element.tag == "th" and element.within("thead")]
        faults += ["an empty column header" for element in heads if not element.text.strip()]
        body = [element for element in inside if element.tag == "tr" and element.within("tbody")]
        first = {id(element.within("tr")) for element in inside if element.tag == "th" and not element.within("thead")}
        faults += ["a row without a header" for row in body if id(row) not in first]
        scrolls = table.parents[-1]
        if "wide" in scrolls.attrs.get("class", ""):
            faults += [] if scrolls.attrs.get("tabindex") == "0" else ["a scrolling table that no keyboard reaches"]
    return faults


def _charts(page: Page) -> list[str]:
    faults = []
    for svg in page.all("svg"):
        if svg.attrs.get("aria-hidden") == "true":
            continue
        named = svg.attrs.get("aria-labelledby", "").split()
        inside = [element for element in page.elements if element.parents and element.parents[-1] is svg]
        own = {element.attrs.get("id"): element.text.strip() for element in inside if element.tag in {"title", "desc"}}
        faults += [] if len(named) == 2 and all(own.get(name) for name in named) else ["a chart without title and desc"]
    return faults

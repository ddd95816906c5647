"""The pages of a package: what an auditor opens first. They need Jinja2, so a verifier imports them late.

1. `reports/<id>.html`, one for each report.
2. `README.html`, the front page.
3. `evidence_manifest.html`, last, because it lists every file with its digest.

Each is one file that loads nothing, runs one script of ours that it reads well without, and is escaped throughout:
what Records say was written by callers and servers. All are pure functions of the Material, bounded by bounds.py.
"""

from collections.abc import Callable, Iterable, Iterator

from holdfast.evidence.pages.control import control_page
from holdfast.evidence.pages.figures import figures
from holdfast.evidence.pages.files import PAGE_FILE as MANIFEST_FILE
from holdfast.evidence.pages.files import PackedFile
from holdfast.evidence.pages.front import front_page, render_front
from holdfast.evidence.pages.manifest import render_manifest
from holdfast.evidence.pages.report import render_reports
from holdfast.evidence.tables.material import Material

__all__ = ["FRONT_FILE", "MANIFEST_FILE", "control_page", "front_page", "render_all"]

FRONT_FILE = "README.html"


def render_all(material: Material, files: Callable[[], Iterable[PackedFile]]) -> Iterator[tuple[str, bytes]]:
    """Every page with its name.

    Args:
        material: what the pages follow from.
        files: the files of the package; asked only when all other pages have been taken, so that whoever adds each
            page to the package as it comes finds them listed. Those that are made later may be among them.
    """
    counted = figures(material.story)
    summaries = []
    for summary, data in render_reports(material, counted):
        yield f"reports/{summary.report.id}.html", data
        summaries.append(summary)
    yield FRONT_FILE, render_front(material, counted, summaries)
    yield MANIFEST_FILE, render_manifest(material, summaries, files())

"""With what an engine finds: what looks ahead for the recognizers, whose recognizers they are, and which model reads.

Unlike the digest of its configuration, this is for people: an auditor reads it in the Record `rules.loaded`.
"""

import dataclasses
import importlib.metadata
from collections.abc import Mapping
from typing import Any, Final

from presidio_analyzer.nlp_engine import NlpEngine, SpacyNlpEngine

from holdfast.jsontext import JsonObject
from holdfast.masking.language import LANGUAGE

DECIDING: Final = ("presidio-analyzer", "phonenumbers", "regex", "tldextract")  # packages that decide what is found
_SCANNING: Final = {"hyperscan": "hyperscan", "re2": "google-re2"}  # those that look ahead for them
_READING: Final = "spacy"


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
    """A spaCy model as it calls itself, wherever it lies."""

    name: str
    version: str


@dataclasses.dataclass(frozen=True, slots=True)
class Equipment:
    """``scan`` is hyperscan, re2 or pure; none with a model. ``versions`` are those of packages."""

    scan: str
    versions: Mapping[str, str]
    model: Model | None = None

    def to_json(self) -> JsonObject:
        """The member ``engine`` of a Record."""
        model: JsonObject = {"model": {"name": self.model.name, "version": self.model.version}} if self.model else {}
        return {"scan": self.scan, "versions": dict(self.versions), **model}


def equipment(scan: str, model: Model | None) -> Equipment:
    """What an engine has that looks ahead with ``scan`` and reads with ``model``."""
    more = [_SCANNING[scan]] if scan in _SCANNING else []
    names = (*DECIDING, *more, *([_READING] if model is not None else []))
    return Equipment(scan, {name: importlib.metadata.version(name) for name in names}, model)


def model_of(language: NlpEngine) -> Model | None:
    """The model that ``language`` has loaded."""
    if not isinstance(language, SpacyNlpEngine):
        return None
    loaded: Any = language.nlp  # None until it is loaded
    meta: Any = loaded[LANGUAGE].meta
    return Model(f"{meta.get('lang', '')}_{meta.get('name', '')}", str(meta.get("version", "")))

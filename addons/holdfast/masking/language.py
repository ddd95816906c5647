"""What Presidio takes for language processing: a cutter into words, or the spaCy model that the rules name.

No model is shipped and none is fetched. Without one, names of people and places in running text are not found; numbers,
formats and context words are, with the same results.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import spacy.util
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine, SpacyNlpEngine

from holdfast.errors import MaskingError
from holdfast.masking.entries import MaskingRules
from holdfast.masking.words import Cutter, is_word, stem

LANGUAGE: Final = "en"


class CutterNlpEngine(NlpEngine):
    """Presidio's language interface over :class:`~holdfast.masking.words.Cutter`."""

    def __init__(self, cutter: Cutter) -> None:
        self._cutter = cutter

    def load(self) -> None:
        """Nothing to load."""

    def is_loaded(self) -> bool:
        """Always."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """The pieces of ``text``, each its own stem; no named entities."""
        pieces = self._cutter.cut(text)
        tokens: Any = [piece for _, piece in pieces]  # Presidio asks of a token its length only
        return NlpArtifacts(
            entities=[],
            tokens=tokens,
            tokens_indices=[start for start, _ in pieces],
            lemmas=[stem(piece) if is_word(piece) else piece for _, piece in pieces],
            nlp_engine=self,
            language=language,
        )

    def process_batch(
        self,
        texts: Iterable[str],
        language: str,
        batch_size: int = 1,  # noqa: ARG002 -- Presidio's interface
        n_process: int = 1,  # noqa: ARG002 -- Presidio's interface
        **_: Any,
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Each text with its pieces."""
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word: str, language: str) -> bool:  # noqa: ARG002 -- Presidio's interface
        """Whether ``word`` is no help as context; marks and masks are reported by :meth:`is_punct`."""
        return word[0].isalnum() and not is_word(word)

    def is_punct(self, word: str, language: str) -> bool:  # noqa: ARG002 -- Presidio's interface
        """Whether ``word`` is a mark, a blank or a mask."""
        return not word[0].isalnum()

    def get_supported_entities(self) -> list[str]:
        """None: there is no model."""
        return []

    def get_supported_languages(self) -> list[str]:
        """English."""
        return [LANGUAGE]


def build_language(rules: MaskingRules, cutter: Cutter) -> NlpEngine:
    """The language engine that the rules ask for.

    Raises:
        MaskingError: the spaCy model that the rules name is not installed here.
    """
    if rules.spacy_model is None:
        return CutterNlpEngine(cutter)
    # Presidio would download a missing model.
    if not (spacy.util.is_package(rules.spacy_model) or Path(rules.spacy_model).is_dir()):
        raise MaskingError("the spaCy model that the rules name is not installed; install it, or remove `nlp`")
    engine = SpacyNlpEngine(models=[{"lang_code": rules.language, "model_name": rules.spacy_model}])
    engine.load()
    return engine

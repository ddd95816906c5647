"""A named-entity model small enough to be trained by a test: it knows a few names and cities, and where they stand."""

import random
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.training import Example
from thinc.api import fix_random_seed

NAMES = ("Ada Lovelace", "Grace Hopper", "Alan Turing", "Rosa Parks")
PLACES = ("London", "Utrecht", "Boston", "Lisbon")
SENTENCES = (
    "{name} lives in {place} now .",
    "Yesterday {name} called from {place} .",
    "The parcel for {name} went to {place} .",
    "We met {name} near {place} in spring .",
    "Please tell {name} about the office in {place} .",
)
NEITHER = (
    "The build is green and the tests pass .",
    "Restart the server before noon .",
    "Nobody reads the log files .",
    "The order has 3 items and number 234-45-6789 .",
)
ROUNDS = 15


def train(folder: Path) -> Path:
    """Train the model and save it; its folder, as ``nlp: spacy_model:`` takes it."""
    dice = random.Random(11)
    fix_random_seed(11)  # weights begin somewhere else each time otherwise, and now and then the model learns nothing
    model = spacy.blank("en")
    finder = model.add_pipe("ner")
    for label in ("PERSON", "GPE"):
        finder.add_label(label)  # type: ignore[attr-defined] # of the pipe, which spaCy types as any callable
    examples = [Example.from_dict(model.make_doc(text), {"entities": []}) for text in NEITHER for _ in range(4)]
    examples += [_example(model, sentence, name, place) for sentence in SENTENCES for name in NAMES for place in PLACES]
    optimizer = model.initialize(lambda: examples)
    for _ in range(ROUNDS):
        dice.shuffle(examples)
        for start in range(0, len(examples), 32):
            model.update(examples[start : start + 32], sgd=optimizer, drop=0.1)
    model.to_disk(folder)
    return folder


def _example(model: Language, sentence: str, name: str, place: str) -> Example:
    text = sentence.format(name=name, place=place)
    spans = [(text.index(name), text.index(name) + len(name), "PERSON")]
    spans.append((text.index(place), text.index(place) + len(place), "GPE"))
    return Example.from_dict(model.make_doc(text), {"entities": spans})

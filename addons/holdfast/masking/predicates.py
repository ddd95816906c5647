"""What a sentence about passwords goes on with: ``is required``, ``was changed by Ada``, ``must be …``.

Whatever else stands there, letters alone or several words, is a password. In the languages of the rules.
"""

from typing import Final

_WORDS_COUNT_MAX: Final = 8  # a longer one is a sentence
# No passphrase has one of these in it, or it reads like a sentence.
_FUNCTION_TEXT: Final = """a an the to for in on at by of from with your our my his her their you we they it its is are
be been being not no and or but if as than that this these those which who what will can could should must may might has
have had was were do does did only never always too very more most also just still already yet again now then here there
when where how why after before until unless because during per via into between against without within about each every
any all some such same other both either neither so up out off over under below above longer shorter less least case
der die das den dem des ein eine einen zu nicht noch schon sehr und oder im am auf mit von nur bei aus het een te niet
nog en op van le la les un une de du trop pas ne est et dans sur votre el los las una muy demasiado tu su y o il lo uno
troppo non e di da do dos um uma muito n\u00e3o na"""
_FUNCTIONS: Final = frozenset(_FUNCTION_TEXT.split())
# Nor does one begin with these: so passwords, and what is asked for one, are described.
_ADJECTIVE_TEXT: Final = """none null nil true false empty blank wrong incorrect invalid valid weak strong optional
mandatory missing fine ok okay good bad easy simple hard difficult unchanged unknown secret safe secure insecure hidden
different due new old known sensitive present absent unset unique public private plain temporary permanent active
inactive stale outdated compliant long short shown sent kept set lost gone sha bcrypt argon string text bytes input
field default reset forgot change confirm enter show hide password hash identical equal required
falsch richtig ung\u00fcltig leer erforderlich notwendig abgelaufen sicher unsicher schwach stark gleich bekannt
verplicht onjuist ongeldig fout leeg verlopen juist goed obligatoire invalide expir\u00e9 requis vide faible correcte
incorrecte bon bonne erron\u00e9 obligatorio obligatoria inv\u00e1lido inv\u00e1lida requerido requerida incorrecto
incorrecta correcto correcta vac\u00edo vac\u00eda obrigat\u00f3rio obrigat\u00f3ria incorreto incorreta correto
correta obbligatorio obbligatoria errato errata scaduto scaduta richiesto richiesta valido valida sbagliato
sbagliata"""
_ADJECTIVES: Final = frozenset(_ADJECTIVE_TEXT.split())
_ALONE: Final = frozenset({"correct", "right"})  # ``correct horse`` is a passphrase
# The last three end the names of types of programs.
_ENDINGS: Final = ("ed", "ing", "ly", "able", "ible", "less", "ful", "string", "str", "input")
_OWN_NAMES: Final = ("passw", "pwd", "kennw", "wachtw", "contrase")
_MARKS: Final = ".,;:!?\"'`()"


def phrase_holds(text: str) -> bool:
    """Whether ``text`` is none of what a sentence says of a password."""
    words = [word.strip(_MARKS).lower() for word in text.split()]
    if not 0 < len(words) <= _WORDS_COUNT_MAX or not _FUNCTIONS.isdisjoint(words):
        return False
    first = words[0]
    if first in _ADJECTIVES or any(name in first for name in _OWN_NAMES) or (len(words) == 1 and first in _ALONE):
        return False
    return not (first.isalpha() and first.endswith(_ENDINGS))

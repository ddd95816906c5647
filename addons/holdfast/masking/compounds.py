"""Words that are written as one: ``dbpassword``, ``cardnumber``, ``mobilephone``.

A word is cut only where known words cover all of it and one of them is of a kind that rules are about: *cardinal*,
*tokenizer*, *passwordless* and *discard* stay whole, since *inal*, *izer*, *less* and *dis* are no words here.
"""

import functools
from typing import Final

_CHARS_MIN: Final = 4
_CHARS_MAX: Final = 48  # longer names have seams, or are no names

_KINDS_TEXT: Final = """password passwords passwd passwds passphrase passcode pwd pw pass secret secrets token tokens
card cards cc ssn ssns phone phones telephone mobile fax email emails mail iban ibans cvv cvc cvn pin account accounts
acct routing passport birth birthday dob license licence credential credentials apikey key keys address mrn npi"""
_OTHERS_TEXT: Final = """access account active addr admin again api app application auth bank billing bot business
cell client code company confirm confirmation confirmed consumer contact credit csrf current customer cust data
database date db debit default deploy details device digits driver drivers emergency employee encrypted encryption
expiry form ftp full gift guest hash hidden holder home host id initial input jwt last ldap local login main master
member mobile my mysql new no nbr nr num number numbers of office old oracle org original owner patient payment person
personal pg pgsql plain postgres postgresql previous primary private proxy raw real redis refresh registration repeat
reset retype root saved secondary secure server service session shared shipping signing site smtp sql ssh stored
string tax temp temporary test text user users usr value vault verify vpn web webhook wifi work x xsrf zip"""
_KINDS: Final = frozenset(_KINDS_TEXT.split())
_WORDS: Final = _KINDS | frozenset(_OTHERS_TEXT.split())
_WORD_CHARS_MAX: Final = max(map(len, _WORDS))


@functools.lru_cache(maxsize=4096)
def parted(word: str) -> tuple[str, ...]:
    """The words that ``word``, in lower case, is written of: as few as there can be; itself where it is no compound."""
    if not _CHARS_MIN <= len(word) <= _CHARS_MAX or word in _WORDS:
        return (word,)
    ways: list[tuple[str, ...] | None] = [()]  # the shortest way to the first so many characters
    for end in range(1, len(word) + 1):
        found = [
            (*way, word[start:end])
            for start in range(max(0, end - _WORD_CHARS_MAX), end)
            if (way := ways[start]) is not None and word[start:end] in _WORDS
        ]
        ways.append(min(found, key=len, default=None))
    way = ways[-1]
    return (word,) if way is None or _KINDS.isdisjoint(way) else way

"""Ed25519 verification with the standard library alone: RFC 8032 5.1.7, in its strict reading.

Implementations differ on signatures that no honest signer makes, so one must be normative: this one. It refuses an
``S`` that is not reduced, points whose encoding is not canonical, and keys or ``R`` of small order, and it checks the
equation without the cofactor. It handles public values only, so it need not run in constant time.
"""

import hashlib
from typing import Final

PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_ONE: Final = pow(2, (_P - 1) // 4, _P)

# RFC 8032 5.1.4: extended homogeneous coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z.
type _Point = tuple[int, int, int, int]

_IDENTITY: Final[_Point] = (0, 1, 1, 0)


def _add(first: _Point, second: _Point) -> _Point:
    a = (first[1] - first[0]) * (second[1] - second[0]) % _P
    b = (first[1] + first[0]) * (second[1] + second[0]) % _P
    c = 2 * first[3] * second[3] * _D % _P
    d = 2 * first[2] * second[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _double(point: _Point) -> _Point:
    a, b = point[0] * point[0] % _P, point[1] * point[1] % _P
    c = 2 * point[2] * point[2] % _P
    h = a + b
    e = h - (point[0] + point[1]) ** 2 % _P
    g = a - b
    f = c + g
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _decode(encoded: bytes) -> _Point | None:
    # RFC 8032 5.1.3, and None for every encoding that is not the one a signer writes.
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x + u) % _P == 0:
        x = x * _SQRT_MINUS_ONE % _P
    if (v * x * x - u) % _P != 0:
        return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


def _encode(point: _Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _is_small_order(point: _Point) -> bool:
    x, y, z, _ = _double(_double(_double(point)))
    return x == 0 and y == z


_BASE_Y: Final = 4 * pow(5, -1, _P) % _P
_BASE: Final = _decode(_BASE_Y.to_bytes(32, "little"))


def _sum_of_products(first: int, one: _Point, second: int, other: _Point) -> _Point:
    # [first]one + [second]other, both scalars walked at once.
    both = _add(one, other)
    total = _IDENTITY
    for bit in range(max(first.bit_length(), second.bit_length()) - 1, -1, -1):
        total = _double(total)
        match first >> bit & 1, second >> bit & 1:
            case 1, 1:
                total = _add(total, both)
            case 1, 0:
                total = _add(total, one)
            case 0, 1:
                total = _add(total, other)
    return total


def is_good_key(public: bytes) -> bool:
    """Whether ``public`` (32 bytes) is a canonical point that is not of small order. To be asked at enrolment."""
    if len(public) != PUBLIC_KEY_BYTES:
        return False
    point = _decode(public)
    return point is not None and not _is_small_order(point)


def is_good_form(public: bytes, signature: bytes) -> bool:
    """Whether key and signature have the form that :func:`verify` asks for, the equation aside.

    What has it, and passes a verifier without the cofactor such as OpenSSL's, passes :func:`verify`, and the reverse.
    """
    if len(signature) != SIGNATURE_BYTES or not is_good_key(public):
        return False
    commitment = _decode(signature[:32])
    if commitment is None or _is_small_order(commitment):
        return False
    return int.from_bytes(signature[32:], "little") < _ORDER


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (64 bytes) over ``message`` is by ``public`` (32 bytes). Takes about 3 ms."""
    if not is_good_form(public, signature):
        return False
    key = _decode(public)
    assert key is not None
    assert _BASE is not None
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    negated = (_P - key[0], key[1], 1, _P - key[3])
    expected = _sum_of_products(int.from_bytes(signature[32:], "little"), _BASE, challenge, negated)
    return _encode(expected) == signature[:32]

"""Password hashes: scrypt from the standard library.

One hash takes about 50 ms and 16 MiB, in a native thread; nothing but a login
by password may need one.
"""
import base64
import hashlib
import hmac
import os
import secrets

from svckit import process

COST = {'n': 2 ** 14, 'r': 8, 'p': 1}


def generate() -> str:
    return secrets.token_urlsafe(24)


def hashed(password: str) -> str:
    """`scrypt$n$r$p$salt$key`, with a salt of its own."""
    salt = os.urandom(16)
    return '$'.join(['scrypt', *(str(value) for value in COST.values()), _text(salt),
                     _text(_scrypt(password, salt, **COST))])


def matches(password: str, stored: str) -> bool:
    """Compared in constant time."""
    _, n, r, p, salt, key = stored.split('$')
    return hmac.compare_digest(_scrypt(password, _bytes(salt), int(n), int(r), int(p)), _bytes(key))


# Compared with when a user does not exist: the answer takes as long as a wrong
# password does, so it tells nothing about which names exist.
NOBODY = '$'.join(['scrypt', *(str(value) for value in COST.values()), 'AAAA', 'AAAA'])


def _scrypt(password, salt, n, r, p) -> bytes:
    return process.native(hashlib.scrypt, password.encode(), salt=salt, n=n, r=r, p=p, maxmem=64 << 20, dklen=32)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)

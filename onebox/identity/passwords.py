"""Password hashes: bcrypt.

One takes about 50 ms, in a native thread; nothing but a login by password needs one.
Not scrypt: it wants 16 MiB for each hash, which glibc keeps for each thread that
ever made one (159 MiB after nine of them in the web server's threads).
"""
import base64
import hashlib
import secrets

import bcrypt

from svckit import process

ROUNDS = 10     # each one more doubles the time
# Compared with when a user does not exist: the answer takes as long as a wrong
# password does, so it tells nothing about which names exist.
NOBODY = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'


def generate() -> str:
    return secrets.token_urlsafe(24)


def hashed(password: str) -> str:
    return process.native(bcrypt.hashpw, _digest(password), bcrypt.gensalt(ROUNDS)).decode()


def matches(password: str, stored: str) -> bool:
    """Compared in constant time."""
    return process.native(bcrypt.checkpw, _digest(password), stored.encode())


def _digest(password: str) -> bytes:
    """bcrypt takes at most 72 bytes, and none of them may be zero."""
    return base64.b64encode(hashlib.sha256(password.encode()).digest())

"""Tokens: Fernet, so that one is checked without looking anything up and is still
good after a restart.

A withdrawn token's audit id is kept until the token would have expired anyway.
"""
import base64
import dataclasses
import json
import os
import pathlib
import threading
import time

from cryptography.fernet import Fernet, InvalidToken

from onebox import files

LIFETIME = 3600
# A service may go on with a user's token this long after it expired, if it shows
# its own token too: Keystone's allow_expired_window.
GRACE = 48 * 3600


class Invalid(Exception):
    """Not a token, not ours, expired, or withdrawn."""


@dataclasses.dataclass(frozen=True)
class Token:
    user_id: str
    project_id: str | None      # None: unscoped
    methods: list[str]          # how its owner proved who they are: 'password', 'token'
    audit_ids: list[str]        # its own first, then that of the first token in its chain
    issued_at: float            # seconds since the epoch
    expires_at: float


class Tokens:
    """Issues and reads tokens under the key in `folder`, made on first use."""

    def __init__(self, folder: pathlib.Path, lifetime=LIFETIME, clock=time.time):
        self._fernet = Fernet(_key(folder / 'token.key'))
        self._withdrawn_path = folder / 'withdrawn.json'
        self._withdrawn = _read(self._withdrawn_path)
        self._writing = threading.Lock()
        self._lifetime = lifetime
        self._clock = clock

    def issue(self, user_id: str, project_id: str | None, methods: list[str], parent: Token | None = None):
        """-> (text, Token). One made from a `parent` ends when that does."""
        now = self._clock()
        audit_id = base64.urlsafe_b64encode(os.urandom(16)).rstrip(b'=').decode()
        token = Token(
            user_id=user_id, project_id=project_id,
            methods=sorted({*methods, *(parent.methods if parent else [])}),
            audit_ids=[audit_id, parent.audit_ids[-1]] if parent else [audit_id],
            issued_at=now, expires_at=parent.expires_at if parent else now + self._lifetime)
        content = json.dumps(dataclasses.astuple(token), separators=(',', ':'))
        # Clients put tokens in headers and shells; Keystone's come without padding too.
        return self._fernet.encrypt(content.encode()).rstrip(b'=').decode(), token

    def read(self, text: str, allow_expired=False) -> Token:
        """The token, or `Invalid`. The comparison inside Fernet takes constant time."""
        try:
            raw = text.encode('ascii')
            token = Token(*json.loads(self._fernet.decrypt(raw + b'=' * (-len(raw) % 4))))
        except (InvalidToken, ValueError, TypeError) as error:
            raise Invalid from error
        late = self._clock() - token.expires_at
        if late >= (GRACE if allow_expired else 0) or token.audit_ids[0] in self._withdrawn:
            raise Invalid
        return token

    def withdraw(self, token: Token) -> None:
        """Afterwards the token is invalid, also after a restart."""
        with self._writing:
            now = self._clock()
            kept = {key: until for key, until in self._withdrawn.items() if until > now}
            self._withdrawn = {**kept, token.audit_ids[0]: token.expires_at + GRACE}
            files.write(self._withdrawn_path, json.dumps(self._withdrawn))


def _key(path: pathlib.Path) -> bytes:
    if not path.exists():
        files.write(path, Fernet.generate_key().decode())
    return path.read_bytes()


def _read(path: pathlib.Path) -> dict:
    return json.loads(path.read_text()) if path.exists() else {}

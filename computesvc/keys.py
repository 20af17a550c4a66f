"""Key pairs: fingerprints of public keys, and new pairs for clients that bring none."""
import base64
import binascii
import hashlib

from computesvc import errors
from svckit import process


def fingerprint(kind: str, public_key: str) -> str:
    """As Nova shows it: the MD5 of an OpenSSH key, the SHA-1 of an X.509 certificate; raises BadRequest."""
    digest = _of_certificate(public_key) if kind == 'x509' else _of_ssh_key(public_key)
    return ':'.join(digest[place:place + 2] for place in range(0, len(digest), 2))


def generate() -> tuple[str, str]:
    """(private key as PEM, public key as OpenSSH writes it), RSA of 2048 bits."""
    return process.native(_generate)


def _generate():
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
    return private.decode(), f'{public.decode()} Generated-by-Nova'


def _of_ssh_key(public_key) -> str:
    try:
        raw = base64.b64decode(public_key.split()[1], validate=True)
    except (IndexError, binascii.Error, ValueError):
        raise _invalid() from None
    return hashlib.md5(raw, usedforsecurity=False).hexdigest()


def _of_certificate(text) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    try:
        return x509.load_pem_x509_certificate(text.encode()).fingerprint(hashes.SHA1()).hex()   # noqa: S303
    except ValueError:
        raise _invalid() from None


def _invalid() -> errors.BadRequest:
    return errors.BadRequest('Keypair data is invalid: failed to generate fingerprint')

"""Microversions: which one a request asks for, and what the answer says of it.

The rules are OpenStack's API-SIG microversion specification: a header names the
service type and a version, `latest` is one, none means the lowest, and one out of
range is answered 406 with the range.
"""
import re
from typing import NamedTuple

from svckit import errors

_VERSION = re.compile(r'([1-9]\d{0,3})\.(0|[1-9]\d{0,3})')
_KNOWN = 1000


class Microversion(NamedTuple):
    """Compares as numbers do: 3.9 < 3.42."""
    major: int
    minor: int

    def __str__(self):
        return f'{self.major}.{self.minor}'

    @classmethod
    def of(cls, value) -> 'Microversion':
        """From '3.42', a pair or a Microversion; ValueError for anything else."""
        if isinstance(value, tuple):
            return cls(*value)
        if not (match := _VERSION.fullmatch(value)):
            raise ValueError(f'{value!r} is not a version such as 3.42')
        return cls(int(match[1]), int(match[2]))


class Versions:
    """The versions that a service speaks, and how it calls itself.

    service_types: names taken in `OpenStack-API-Version`; the first is also the one
    sent.  legacy_header: an older header that carries the bare version.  path, id
    and updated: for the discovery documents.  single: `path` answers
    {"version": {…}} as compute does, not {"versions": […]} as block storage does.
    """

    def __init__(self, service_types, min, max, *, path, id, legacy_header=None, single=False,
                 updated='2026-01-01T00:00:00Z'):
        self.service_types = tuple(service_types)
        self.min, self.max = Microversion.of(min), Microversion.of(max)
        self.path, self.id, self.updated, self.single = path, id, updated, single
        self.legacy_header = legacy_header
        self._legacy_key = 'HTTP_' + legacy_header.upper().replace('-', '_') if legacy_header else None
        self._asked: dict[tuple, Microversion] = {}
        self._answers: dict[Microversion, list] = {}

    def of(self, environ: dict) -> Microversion:
        """The version this request asks for; NotAcceptable (406) or BadRequest (400)."""
        asked = environ.get('HTTP_OPENSTACK_API_VERSION'), environ.get(self._legacy_key)
        version = self._asked.get(asked)
        if version is None:
            version = self._parse(*asked)
            if len(self._asked) < _KNOWN and len(str(asked)) < 200:
                self._asked[asked] = version
        return version

    def named(self, environ: dict) -> bool:
        """Whether the request asks for a version; the lowest is meant otherwise."""
        return bool(self._named(environ.get('HTTP_OPENSTACK_API_VERSION')) or environ.get(self._legacy_key))

    def headers(self, version: Microversion) -> list[tuple[str, str]]:
        """What the answer says: the version it was made for, and what it varies by."""
        found = self._answers.get(version)
        if found is None:
            found = [('OpenStack-API-Version', f'{self.service_types[0]} {version}'),
                     ('Vary', 'OpenStack-API-Version')]
            if self.legacy_header:
                found += [(self.legacy_header, str(version)), ('Vary', self.legacy_header)]
            self._answers[version] = found
        return found

    def _parse(self, header, legacy) -> Microversion:
        asked = self._named(header) or (legacy or '').strip()
        if not asked:
            return self.min
        if asked.lower() == 'latest':
            return self.max
        try:
            version = Microversion.of(asked)
        except ValueError:
            raise errors.BadRequest(f'API version string {asked[:50]} is of invalid format. '
                                    'Must be of format MajorNum.MinorNum.') from None
        if not self.min <= version <= self.max:
            raise errors.NotAcceptable(f'Version {version} is not supported by the API. '
                                       f'Minimum is {self.min} and maximum is {self.max}.')
        return version

    def _named(self, header) -> str | None:
        """What `OpenStack-API-Version` says for this service among those it may name."""
        for part in (header or '').split(','):
            words = part.split()
            if words and words[0].lower() in self.service_types:
                return ' '.join(words[1:]) or '(none)'
        return None

"""The programs that os-brick may run as root here, and the grammar of their arguments.

What is not written here is refused. Nothing may be set by arguments, which anybody on the host can read: what a login
needs, CHAP secrets above all, goes another way (node_records.py).
"""

from brick import errors, names


def check(words):
    """The same words as a list; BadConnection if they are no command of this table."""
    words = [str(word) for word in words]
    grammar = _PROGRAMS.get(words[0]) if words else None
    if grammar is None:
        raise errors.BadConnection(f'{words[:1]} is no program that brick runs.')
    grammar(words[1:])
    return words


def _one_of(*allowed):
    def grammar(word):
        if word not in allowed:
            raise errors.BadConnection(f'{word!r} is not one of: {", ".join(allowed)}.')
    return grammar


_ISCSIADM = {
    '-m': _one_of('node'),
    '-T': names.iqn,
    '-p': names.portal,
    '--interface': _one_of('default'),
    '--op': _one_of('new', 'delete'),
    '--login': None, '--logout': None,
}
_MULTIPATH = {'-a': names.wwid, '-C': names.device, '-f': names.map_or_path, '-l': names.device_path, '-r': None}


def _options(table):
    """Words that are options of `table`, each followed by its value if it has a grammar."""
    def grammar(words):
        words = iter(words)
        for word in words:
            if word not in table:
                raise errors.BadConnection(f'{word!r} is no option that brick uses.')
            if table[word]:
                table[word](next(words, ''))
    return grammar


def _exactly(*grammars):
    def grammar(words):
        if len(words) != len(grammars):
            raise errors.BadConnection(f'{len(grammars)} arguments are wanted, not {len(words)}.')
        for one, word in zip(grammars, words, strict=True):
            one(word)
    return grammar


def _iscsiadm(words):
    """All records may be listed; what changes something names its one target and portal."""
    _options(_ISCSIADM)(words)
    if words != ['-m', 'node'] and not {'-T', '-p'} <= set(words):
        raise errors.BadConnection('iscsiadm is to name a target and a portal.')


def _mount(words):
    """-t nfs [-o options] [more options] share folder"""
    if words[:2] != ['-t', 'nfs'] or len(words) < 4:
        raise errors.BadConnection('Only NFS is mounted.')
    *options, share, folder = words[2:]
    for word in options:
        if word != '-o':
            names.mount_options(word)
    names.nfs_share(share)
    names.folder(folder)


_PROGRAMS = {
    'iscsiadm': _iscsiadm,
    'multipath': _options(_MULTIPATH),
    'blockdev': _exactly(_one_of('--flushbufs'), names.device_path),
    'lsblk': _exactly(_one_of('-o'), _one_of('NAME,RO'), _one_of('-l'), _one_of('-n')),
    'mount': _mount,
}

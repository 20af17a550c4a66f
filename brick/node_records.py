"""open-iscsi's record of a target's portal: how to log in there.

It is written here and not by iscsiadm, whose arguments anybody on the host can read, a CHAP secret among them.

Files: <nodes>/<iqn>/<address>,<port>,<group>/<interface>, or <nodes>/<iqn>/<address>,<port> where the portal group is
not known (usr/idbm.c of open-iscsi); text lines `name = value` between `# BEGIN RECORD` and `# END RECORD`.
"""

import os
import tempfile

from brick import errors

FOLDERS = ('/etc/iscsi/nodes', '/var/lib/iscsi/nodes')
_END = '# END RECORD'


def prepare(iqn, address, port, username='', secret=''):
    """The next login to the portal is by CHAP if there is a name, and adds no disk by itself: that is asked for.

    BadConnection if there is no record.
    """
    values = {'node.session.scan': 'manual'}
    if username:
        values |= {'node.session.auth.authmethod': 'CHAP', 'node.session.auth.username': username,
                   'node.session.auth.password': secret}
    found = list(_records(iqn, address, port))
    if not found:
        raise errors.BadConnection(f'open-iscsi has no record of {iqn} at {address} port {port}.')
    for nodes, path in found:
        with open(path) as file:
            text = file.read()
        _replace(nodes, path, _with(text, values))


def _records(iqn, address, port):
    for nodes in FOLDERS:
        target = os.path.join(nodes, iqn)
        for name in os.listdir(target) if os.path.isdir(target) else ():
            if name.split(',')[:2] != [address, str(port)]:
                continue
            path = os.path.join(target, name)
            for record in sorted(os.listdir(path)) if os.path.isdir(path) else ['']:
                yield nodes, os.path.join(path, record) if record else path


def _with(text, values):
    """The record's text with these values instead of the ones it may have."""
    lines = [line for line in text.splitlines() if line.partition(' = ')[0] not in values]
    place = lines.index(_END) if _END in lines else len(lines)
    lines[place:place] = [f'{name} = {value}' for name, value in values.items()]
    return '\n'.join(lines) + '\n'


def _replace(nodes, path, text):
    # Beside `nodes`, not below it: iscsiadm takes whatever file it finds there for a record.
    descriptor, beside = tempfile.mkstemp(dir=os.path.dirname(nodes), prefix='.record-')
    try:
        with open(descriptor, 'w') as file:
            file.write(text)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise

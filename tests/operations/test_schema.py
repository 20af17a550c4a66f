"""The newest schema, on the databases that are supported, and what it makes of the rows that were there before."""
import importlib
import pathlib
import shutil
import sys
import uuid

import sqlalchemy as sa

from computesvc.db import models, servers
from svckit import db as database
from svckit.db import Database, utcnow

PACKAGE = 'computesvc.db.migrations'


def test_the_room_of_servers_that_were_there_before_is_claimed(any_database, tmp_path, monkeypatch):
    db = Database(any_database)
    database.migrate(db, _until('002', tmp_path, monkeypatch))
    old = sa.MetaData()
    old.reflect(db.engine)
    there, elsewhere, gone = (str(uuid.uuid4()) for _ in range(3))
    with db.transaction() as session:
        session.execute(old.tables['hypervisors'].insert(), [
            {'uuid': str(uuid.uuid4()), 'host': name, 'hostname': name, 'type': 'memory', 'version': 1, 'vcpus': 8,
             'memory_mb': 8192, 'local_gb': 100, 'capabilities': '{}', 'created_at': utcnow()}
            for name in ('host1', 'host2')])
        session.execute(old.tables['servers'].insert(), [
            _server(there, 'host1', 2, 512, 10), _server(elsewhere, None, 1, 64, 1),
            _server(gone, 'host1', 1, 64, 1, deleted_at=utcnow())])
    assert database.migrate(db, PACKAGE)
    with db.reader() as session:
        claims = list(session.scalars(sa.select(models.Claim)))
        used = {h.host: (h.vcpus_used, h.memory_mb_used, h.disk_gb_used)
                for h in session.scalars(sa.select(models.Hypervisor))}
        server = session.get(models.Server, there)
        assert servers.counted_usage(session) == {'p1': {'instances': 2, 'cores': 3, 'ram': 576}}
    with db.transaction() as session:
        session.get(models.Server, there).old_flavor = {'held': {'cores': 4, 'ram': 1024}}
        session.flush()
        assert servers.counted_usage(session) == servers.counted_usage(session, 'p1') == {
            'p1': {'instances': 2, 'cores': 5, 'ram': 1088}}
        assert servers.counted_usage(session, 'p2') == {}
        session.rollback()
    assert [(c.key, c.host, c.server_id, c.vcpus, c.memory_mb, c.disk_gb) for c in claims] == [
        (f'server:{there}', 'host1', there, 2, 512, 10)]
    assert used == {'host1': (2, 512, 10), 'host2': (0, 0, 0)}
    assert (server.old_flavor, server.progress, server.ephemeral_gb, server.local_disks) == (None, 0, 0, None)
    assert _columns(db) == {table.name: {column.name for column in table.columns}
                            for table in models.Base.metadata.sorted_tables}
    db.dispose()


def _columns(db):
    found = sa.MetaData()
    found.reflect(db.engine)
    return {table.name: {column.name for column in table.columns} for table in found.sorted_tables
            if table.name != 'alembic_version'}


def test_the_room_of_volumes_that_were_there_before_is_promised(any_database, tmp_path, monkeypatch):
    from volsvc.db import claims
    db = Database(any_database)
    database.migrate(db, _until('003', tmp_path, monkeypatch, 'volsvc.db.migrations'))
    old = sa.MetaData()
    old.reflect(db.engine)
    volume = {'project_id': 'p1', 'name': 'v', 'availability_zone': 'nova', 'bootable': False, 'multiattach': False,
              'readonly': False, 'meta': '{}', 'created_at': utcnow()}
    with db.transaction() as session:
        session.execute(old.tables['volumes'].insert(), [
            {**volume, 'id': str(uuid.uuid4()), 'host': host, 'size': size, 'status': status, 'launched_at': launched}
            for host, size, status, launched in [
                ('h@a#a', 5, 'available', utcnow()), ('h@a#a', 7, 'extending', utcnow()),
                ('h@b#b', 1, 'creating', None), ('h@b#b', 2, 'error', utcnow()), ('h@a#a', 9, 'error', None)]])
        session.execute(old.tables['operations'].insert(), [
            {'id': str(uuid.uuid4()), 'subject': subject, 'name': 'extend-volume', 'version': 1, 'notes': '{}',
             'params': '{"host":"h@a#a","size":11,"old_size":7,"quota":{}}', 'position': position,
             'state': 'running' if subject else 'undone', 'attempts': 0, 'lease': 0, 'refused': False, 'created_at': 0}
            for subject, position in (('volume:1', 1), ('volume:2', 2), (None, 0))])
    assert database.migrate(db, 'volsvc.db.migrations')
    with db.reader() as session:
        assert claims.promised(session) == {'h@a#a': 5 + 7 + 4, 'h@b#b': 3}
        assert claims.differences(session) == []
    db.dispose()


def test_the_room_of_snapshots_that_were_there_before_is_promised(any_database, tmp_path, monkeypatch):
    """Not of one that could not be made."""
    from volsvc.db import claims
    db = Database(any_database)
    database.migrate(db, _until('007', tmp_path, monkeypatch, 'volsvc.db.migrations'))
    old = sa.MetaData()
    old.reflect(db.engine)
    ids = {host: str(uuid.uuid4()) for host in ('h@a#a', 'h@b#b', None)}
    with db.transaction() as session:
        session.execute(old.tables['volumes'].insert(), [
            {'id': id, 'project_id': 'p1', 'name': 'v', 'size': 5, 'status': 'available', 'availability_zone': 'nova',
             'bootable': False, 'multiattach': False, 'readonly': False, 'meta': '{}', 'created_at': utcnow(),
             'host': host} for host, id in ids.items()])
        session.execute(old.tables['snapshots'].insert(), [
            {'id': str(uuid.uuid4()), 'volume_id': ids[host], 'project_id': 'p1', 'name': 's', 'size': size,
             'counted': 0, 'status': status, 'progress': progress, 'meta': '{}', 'created_at': utcnow()}
            for host, size, status, progress in [
                ('h@a#a', 5, 'available', 100), ('h@a#a', 4, 'creating', 0), ('h@a#a', 3, 'error', 0),
                ('h@b#b', 2, 'error_deleting', 100), ('h@b#b', 1, 'error', 100), (None, 5, 'error', 0)]])
        session.execute(old.tables['pools'].insert(), [
            {'name': 'h@a#a', 'promised': 5}, {'name': 'h@b#b', 'promised': 5}])
    database.migrate(db, _until('008', tmp_path, monkeypatch, 'volsvc.db.migrations'))
    with db.reader() as session:
        assert claims.promised(session) == {'h@a#a': 5 + 9, 'h@b#b': 5 + 3}
        assert claims.differences(session) == []
    db.dispose()


def test_whose_an_attachment_is_that_was_there_before(any_database, tmp_path, monkeypatch):
    from volsvc.db.models import Attachment
    db = Database(any_database)
    database.migrate(db, _until('004', tmp_path, monkeypatch, 'volsvc.db.migrations'))
    old = sa.MetaData()
    old.reflect(db.engine)
    volumes = {project: str(uuid.uuid4()) for project in ('p1', 'p2')}
    attachments = {str(uuid.uuid4()): volume_id for volume_id in (*volumes.values(), volumes['p2'])}
    with db.transaction() as session:
        session.execute(old.tables['volumes'].insert(), [
            {'id': id, 'project_id': project, 'name': 'v', 'size': 1, 'status': 'in-use', 'availability_zone': 'nova',
             'bootable': False, 'multiattach': False, 'readonly': False, 'meta': '{}', 'created_at': utcnow()}
            for project, id in volumes.items()])
        session.execute(old.tables['volume_attachments'].insert(), [
            {'id': id, 'volume_id': volume_id, 'attach_status': 'attached', 'attach_mode': 'rw', 'created_at': utcnow()}
            for id, volume_id in attachments.items()])
    assert database.migrate(db, 'volsvc.db.migrations')
    with db.reader() as session:
        found = dict(session.execute(sa.select(Attachment.id, Attachment.project_id)).all())
    projects = {volume_id: project for project, volume_id in volumes.items()}
    assert found == {id: projects[volume_id] for id, volume_id in attachments.items()}
    db.dispose()


def test_the_quota_of_types_goes_by_their_ids(any_database, tmp_path, monkeypatch):
    from svckit import operations, quota
    from volsvc.db import limits
    db = Database(any_database)
    database.migrate(db, _until('006', tmp_path, monkeypatch, 'volsvc.db.migrations'))
    gold, op = str(uuid.uuid4()), str(uuid.uuid4())
    old = sa.MetaData()
    old.reflect(db.engine)
    with db.transaction() as session:
        session.execute(old.tables['volume_types'].insert(), {
            'id': gold, 'name': 'gold', 'is_public': True, 'extra_specs': '{}', 'created_at': utcnow()})
        quota.set_limits(session, 'p1', {'volumes': 5, 'volumes_gold': 4})
        quota.set_limits(session, 'class:default', {'snapshots_gold': 3})
        quota.take(session, 'p1', {'gigabytes': 2, 'gigabytes_gold': 2}, {})
        session.execute(old.tables['operations'].insert(), {
            'id': op, 'subject': 'volume:1', 'name': 'extend-volume', 'version': 1, 'notes': '{}', 'position': 1,
            'params': '{"size":2,"quota":{"gigabytes":1,"gigabytes_gold":1}}', 'state': 'running', 'attempts': 0,
            'lease': 0, 'refused': False, 'created_at': 0})
    assert database.migrate(db, 'volsvc.db.migrations')
    with db.reader() as session:
        assert quota.limits(session, 'p1', {}) == {
            'volumes': 5, f'volumes_{gold}': 4, f'snapshots_{gold}': 3}
        assert quota.usage(session, 'p1') == {'gigabytes': 2, f'gigabytes_{gold}': 2}
        assert operations.get(session, op).params == {'size': 2, 'quota': {'gigabytes': 1, f'gigabytes_{gold}': 1}}
        assert limits.titles(session)[f'volumes_{gold}'] == 'volumes_gold'
    db.dispose()


def _until(revision, folder, monkeypatch, package=PACKAGE):
    """A package of the migrations up to a revision, as an older release had them."""
    name = f'older_{uuid.uuid4().hex}'
    source = pathlib.Path(importlib.import_module(package).__file__).parent
    shutil.copytree(source, folder / name, ignore=lambda _, names: [
        n for n in names if n[0].isdigit() and n.split('_')[0] > revision or n == '__pycache__'])
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, 'dont_write_bytecode', True)
    return name


def _server(id, host, vcpus, memory_mb, root_gb, **values):
    return {'id': id, 'project_id': 'p1', 'name': 's', 'vm_state': 'active', 'power_state': 1, 'host': host,
            'flavor': '{}', 'flavor_id': '1', 'vcpus': vcpus, 'memory_mb': memory_mb, 'root_gb': root_gb,
            'networks': 'none', 'meta': '{}', 'tags': '[]', 'config_drive': False, 'launch_index': 0, 'locked': False,
            'created_at': utcnow(), 'deleted_at': None, **values}

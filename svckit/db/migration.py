"""Alembic migrations without its command line: `migrate()` brings a schema up to date."""
import importlib
import pathlib

from sqlalchemy import inspect, text


def head(package: str) -> str:
    """The newest revision: migrations are files `versions/NNN_what.py`, revision 'NNN'."""
    return max(path.name.split('_')[0] for path in _folder(package).glob('versions/[0-9]*.py'))


def current(db) -> str | None:
    """The revision a database is at, None for an empty one."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table('alembic_version'):
            return None
        return connection.execute(text('SELECT version_num FROM alembic_version')).scalar()


def migrate(db, package: str) -> bool:
    """Upgrade to the newest revision of `package`; True if there was anything to do.

    Alembic is imported only when needed: it costs a tenth of a second at start.
    """
    if current(db) == head(package):
        return False
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    config = Config()
    config.set_main_option('script_location', str(_folder(package)))
    config.set_main_option('path_separator', 'os')
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=lambda rev, context: script._upgrade_revs('head', rev)) as env:
        with db._writing.connect() as connection:
            env.configure(connection=connection, render_as_batch=db.dialect == 'sqlite')
            with env.begin_transaction():
                env.run_migrations()
            connection.commit()
    return True


def _folder(package) -> pathlib.Path:
    return pathlib.Path(importlib.import_module(package).__file__).parent

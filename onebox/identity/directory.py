"""Who exists: users, projects, roles and who has which role where.

Kept in one JSON file of mode 0600, made at the first start.  Passwords are kept
as hashes only.  Reading is from memory; the file is written when a password is set.
"""
import json
import pathlib
import uuid

from onebox import files
from onebox.identity import passwords

DOMAIN = {'id': 'default', 'name': 'Default', 'enabled': True, 'description': 'The default domain',
          'tags': [], 'options': {}}
# Each role brings those to its right, as Keystone's implied roles do.
ROLES = ['admin', 'manager', 'member', 'reader', 'service']
IMPLIED = {'admin': ['admin', 'manager', 'member', 'reader'], 'manager': ['manager', 'member', 'reader'],
           'member': ['member', 'reader'], 'reader': ['reader'], 'service': ['service']}

PROJECTS = {'admin': 'Operators', 'demo': 'A project to try things in', 'service': 'The services themselves'}
USERS = {   # user -> (project, roles)
    'admin': [('admin', ['admin']), ('demo', ['admin'])],
    'demo': [('demo', ['member'])],
    'volsvc': [('service', ['admin', 'service'])],
    'computesvc': [('service', ['admin', 'service'])],
}


class Directory:
    """The directory in `path`, which is made with its users if it does not exist.

    A user has no password, and cannot log in by one, before `set_passwords`.
    """

    def __init__(self, path: pathlib.Path):
        self._path = path
        if path.exists():
            self._data = json.loads(path.read_text())
        else:
            self._data = _first()
            self._save()
        self.domains = [DOMAIN]
        self.projects, self.users, self.roles = (self._data[kind] for kind in ('projects', 'users', 'roles'))
        self._roles = {role['name']: role for role in self.roles}

    def user(self, user_id: str) -> dict | None:
        return _one(self.users, id=user_id)

    def project(self, project_id: str) -> dict | None:
        return _one(self.projects, id=project_id)

    def user_named(self, name: str) -> dict | None:
        return _one(self.users, name=name)

    def project_named(self, name: str) -> dict | None:
        return _one(self.projects, name=name)

    def set_passwords(self, wanted: dict[str, str]) -> None:
        """One write of the file for all of them."""
        for name, password in wanted.items():
            self.user_named(name)['password'] = passwords.hashed(password)
        self._save()

    def authenticates(self, user: dict | None, password: str) -> bool:
        """Takes as long for an unknown user as for a wrong password."""
        stored = (user or {}).get('password') or passwords.NOBODY
        return passwords.matches(password, stored) and user is not None and user['enabled']

    def roles_of(self, user_id: str, project_id: str) -> list[dict]:
        """`[{'id', 'name'}]` of a user in a project, implied ones included."""
        names = {implied for grant in self._data['grants']
                 if grant['user'] == user_id and grant['project'] == project_id
                 for role in grant['roles'] for implied in IMPLIED[role]}
        return [{'id': self._roles[name]['id'], 'name': name} for name in ROLES if name in names]

    def projects_of(self, user_id: str) -> list[dict]:
        """The projects in which a user has any role."""
        wanted = {grant['project'] for grant in self._data['grants'] if grant['user'] == user_id}
        return [project for project in self.projects if project['id'] in wanted]

    def grants(self) -> list[tuple[dict, dict, dict]]:
        """Each (user, project, role) that was given, without the implied ones."""
        return [(self.user(grant['user']), self.project(grant['project']), self._roles[role])
                for grant in self._data['grants'] for role in grant['roles']]

    def _save(self):
        files.write(self._path, json.dumps(self._data, indent=1))


def _first() -> dict:
    projects = {name: {'id': _id(), 'name': name, 'description': text, 'domain_id': DOMAIN['id'],
                       'enabled': True}
                for name, text in PROJECTS.items()}
    users = {name: {'id': _id(), 'name': name, 'domain_id': DOMAIN['id'], 'enabled': True,
                    'password': None, 'default_project_id': projects[grants[0][0]]['id']}
             for name, grants in USERS.items()}
    return {
        'projects': list(projects.values()),
        'users': list(users.values()),
        'roles': [{'id': _id(), 'name': name} for name in ROLES],
        'grants': [{'user': users[user]['id'], 'project': projects[project]['id'], 'roles': roles}
                   for user, grants in USERS.items() for project, roles in grants],
    }


def _one(rows, **wanted):
    return next((row for row in rows if all(row[key] == value for key, value in wanted.items())), None)


def _id() -> str:
    return uuid.uuid4().hex

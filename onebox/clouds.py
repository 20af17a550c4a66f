"""clouds.yaml: how clients find us, and the one place where passwords stand in clear.

https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
"""
import pathlib

import yaml

from onebox import files
from onebox.identity import passwords
from onebox.identity.catalog import REGION

# cloud -> (user, project)
CLOUDS = {'onebox': ('demo', 'demo'), 'onebox-admin': ('admin', 'admin')}
# For services that run as processes of their own and only borrow our identity service.
SERVICES = {'volsvc': ('volsvc', 'service'), 'computesvc': ('computesvc', 'service')}


class Clouds:
    """The file at `path`; clouds in it that are not ours are left alone."""

    def __init__(self, path: pathlib.Path, ours=CLOUDS):
        self._path = path
        self._ours = ours
        self._document = (yaml.safe_load(path.read_text()) if path.exists() else None) or {}
        self.passwords = {user: self._password(cloud, user) for cloud, (user, _) in ours.items()}

    def passwords_to_set(self) -> dict[str, str]:
        """A new password for each user that the file does not know one of."""
        new = {user: passwords.generate() for user, known in self.passwords.items() if not known}
        self.passwords |= new
        return new

    def write(self, identity_url: str) -> None:
        """Mode 0600. The URL may differ from the last start's."""
        clouds = self._document.setdefault('clouds', {})
        for cloud, (user, project) in self._ours.items():
            clouds[cloud] = {
                'auth': {'auth_url': identity_url, 'username': user, 'password': self.passwords[user],
                         'project_name': project, 'user_domain_name': 'Default',
                         'project_domain_name': 'Default'},
                'region_name': REGION, 'identity_api_version': '3'}
        files.write(self._path, yaml.safe_dump(self._document, sort_keys=False))

    def _password(self, cloud, user) -> str | None:
        auth = self._document.get('clouds', {}).get(cloud, {}).get('auth', {})
        return auth.get('password') if auth.get('username') == user else None

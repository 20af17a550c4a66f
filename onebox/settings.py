"""The configuration of both services for one machine, one process, one folder.

Only what differs from the defaults of a real installation is set here.  Where the
folder holds a volsvc.conf or a computesvc.conf, what that says goes before.
"""
import os
import socket

from oslo_config import cfg

from onebox import hosts
from svckit import conf


class Unusable(Exception):
    """The services cannot run as they are configured; the sentence says why and what to do."""


def volsvc(options, state, identity_url, password):
    from volsvc import conf as volsvc_conf
    made = _load(
        state, 'volsvc', volsvc_conf.OPTS,
        **_common('volsvc', options.volume_port, options, state, identity_url, password),
        enabled_backends=[options.backend],
        state_path=str(state.folder),
        file__path=str(state.volumes),
        **_peer('compute', identity_url, 'volsvc', password),
        **_peer('images', identity_url, 'volsvc', password),
    )
    if options.backend == 'lvm' and not volsvc_conf.backend(made, 'lvm').volume_group:
        raise Unusable('The backend lvm needs the name of a volume group that it may use: write "[lvm]" and '
                       f'"volume_group = NAME" into {state.configuration("volsvc")}.')
    return made


def computesvc(options, state, identity_url, password):
    from computesvc import conf as computesvc_conf
    return _load(
        state, 'computesvc', computesvc_conf.OPTS,
        **_common('computesvc', options.compute_port, options, state, identity_url, password),
        my_ip=options.host if _is_address(options.host) else '127.0.0.1',
        state_path=str(state.folder / 'servers'),
        **_peer('cinder', identity_url, 'computesvc', password),
        **_peer('glance', identity_url, 'computesvc', password),
    )


def agent(host, options, state, identity_url, password):
    """As computesvc(), for the agent of one host more: whatever the file says, it has its own name, address and folder.

    The folder of locks is the first one's, as both are one machine to what must not be done twice at once.
    """
    made = computesvc(options, state, identity_url, password)
    if not made.agent.lock_path:
        made.set_override('lock_path', os.path.join(made.state_path, 'locks'), 'agent')
    made.set_override('host', host.name, 'service')
    made.set_override('my_ip', host.address)
    made.set_override('state_path', str(host.servers))
    return made


def _load(state, service, opts, **settings):
    """The service's options; a name of `settings` counts where the folder's file does not say otherwise."""
    file = state.configuration(service)
    try:
        return conf.load(service, opts, files=[str(file)] if file.exists() else [], files_win=True, **settings)
    except cfg.Error as error:
        raise Unusable(f'{file} cannot be used: {error}') from None


def _common(name, port, options, state, identity_url, password) -> dict:
    login = _login(identity_url, name, password)
    return {
        'database__connection': state.database(name),
        'api__host': options.host, 'api__port': port,
        'service__host': hosts.FIRST,
        'oslo_policy__policy_file': state.policy(name),
        'log_file': str(state.log), 'log_rotation_type': 'size', 'max_logfile_size_mb': 20, 'max_logfile_count': 3,
        'use_stderr': False,
        **{f'keystone_authtoken__{key}': value for key, value in login.items()},
        'keystone_authtoken__www_authenticate_uri': identity_url,
        'keystone_authtoken__service_token_roles_required': True,
    }


def _peer(group, identity_url, name, password) -> dict:
    return {f'{group}__{key}': value for key, value in _login(identity_url, name, password).items()}


def _login(identity_url, name, password) -> dict:
    return {'auth_type': 'password', 'auth_url': identity_url, 'username': name, 'password': password,
            'user_domain_name': 'Default', 'project_name': 'service', 'project_domain_name': 'Default'}


def _is_address(text) -> bool:
    try:
        return bool(socket.getaddrinfo(text, None, flags=socket.AI_NUMERICHOST))
    except OSError:
        return False

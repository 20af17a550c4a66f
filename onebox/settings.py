"""The configuration of both services for one machine, one process, one folder.

Only what differs from the defaults of a real installation is set here.
"""
import socket

from svckit import conf

HOST = 'onebox'


def volsvc(options, state, identity_url, password):
    from volsvc import conf as volsvc_conf
    return conf.load(
        'volsvc', volsvc_conf.OPTS, files=[],
        **_common('volsvc', options.volume_port, options, state, identity_url, password),
        enabled_backends=[options.backend],
        state_path=str(state.folder),
        file__path=str(state.volumes),
        **_peer('compute', identity_url, 'volsvc', password),
        **_peer('images', identity_url, 'volsvc', password),
    )


def computesvc(options, state, identity_url, password):
    from computesvc import conf as computesvc_conf
    return conf.load(
        'computesvc', computesvc_conf.OPTS, files=[],
        **_common('computesvc', options.compute_port, options, state, identity_url, password),
        my_ip=options.host if _is_address(options.host) else '127.0.0.1',
        state_path=str(state.servers),
        **_peer('cinder', identity_url, 'computesvc', password),
        **_peer('glance', identity_url, 'computesvc', password),
    )


def _common(name, port, options, state, identity_url, password) -> dict:
    login = _login(identity_url, name, password)
    return {
        'database__connection': state.database(name),
        'api__host': options.host, 'api__port': port,
        'service__host': HOST,
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

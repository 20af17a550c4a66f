"""Configuration: oslo.config, one ConfigOpts for each service, no global one.

Every option can come from a file, from the command line where marked so, or from
the caller (`load('volsvc', OPTS, database__connection='sqlite://')`).
"""
import logging

from oslo_config import cfg

# What an operator may set for every service; each service adds its own.
API_OPTS = [
    cfg.HostAddressOpt('host', default='127.0.0.1', help='Address that the API listens on.'),
    cfg.PortOpt('port', default=0, help='Port that the API listens on; 0 takes a free one.'),
    cfg.IntOpt('processes', default=1, min=1, max=64, help='Processes that serve the API.'),
    cfg.StrOpt('auth_strategy', default='keystone', choices=['keystone', 'noauth'],
               help='"keystone" validates tokens. "noauth" believes what the caller says of itself, for '
                    'benchmarks; it listens on loopback addresses only.'),
    cfg.IntOpt('max_body', default=65536, min=1024, help='Largest request body, in bytes.'),
    cfg.IntOpt('max_limit', default=1000, min=1, help='Most items that one page of a list holds.'),
    cfg.StrOpt('prefix', help='Path prefix that is accepted before every path besides none. By default '
                              'the service type: /volume, /compute.'),
    cfg.URIOpt('public_endpoint', help='Base of the links in answers, where it differs from what the client '
                                       'asked (behind a proxy).'),
    cfg.BoolOpt('enable_proxy_headers_parsing', default=False,
                help='Believe X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix, for the links in '
                     'answers. Only behind a proxy that sets or removes them.'),
    cfg.FloatOpt('client_timeout', default=60, min=1,
                 help='Seconds a client may take for each part of its request before it is dropped.'),
    cfg.FloatOpt('keepalive', default=75, min=0, help='Seconds an idle connection is kept.'),
    cfg.IntOpt('max_connections', default=1000, min=1, help='Connections served at once by one process.'),
]
SERVICE_OPTS = [
    cfg.HostAddressOpt('host', default='localhost', sample_default='localhost',
                       help='Name of this machine as it shows in the services list.'),
    cfg.IntOpt('workers', default=8, min=1, help='Operations that one worker runs at once.'),
    cfg.FloatOpt('poll', default=2.0, min=0.05,
                 help='Seconds between two looks for work that no wake told of.'),
    cfg.FloatOpt('lease', default=30.0, min=1,
                 help='Seconds after which work of a worker that died is taken over.'),
    cfg.FloatOpt('report_interval', default=5.0, min=0.1,
                 help='Seconds between two reports to the services list.'),
    cfg.FloatOpt('down_time', default=60.0, min=1,
                 help='Seconds without a report after which a service is down.'),
    cfg.FloatOpt('grace', default=60.0, min=0, help='Seconds that running work may take to end at a stop.'),
]
MESSAGING_OPTS = [
    cfg.StrOpt('transport_url', default='rabbit://', secret=True,
               help='Message broker: driver://user:password@host:port/virtual_host'),
]
COMMAND_LINE_OPTS = [
    cfg.StrOpt('concurrency', default='eventlet', choices=['eventlet', 'threads'],
               help='Green or native threads. On the command line only.'),
]
# Two APIs and a worker must fit into what MariaDB and PostgreSQL allow by default (151 and 100 connections).
POOL = {'max_pool_size': 10, 'max_overflow': 10}
OPTS = {'api': API_OPTS, 'service': SERVICE_OPTS}
_pending = '_svckit_pending'
_AUTHTOKEN = 'keystone_authtoken'


class Options(cfg.ConfigOpts):
    """A service's options."""

    def register_opt(self, opt, group=None, *args, **kwargs):
        # oslo.messaging, which is imported late or never, declares this one again in other words.
        if group is None and opt.dest == 'transport_url' and 'transport_url' in self._opts:
            return False
        return super().register_opt(opt, group, *args, **kwargs)


def list_opts():
    """For the generator of samples, which shows our POOL from then on (oslo.messaging lists transport_url itself)."""
    from oslo_db import options as oslo_db
    cfg.set_defaults(oslo_db.database_opts, **POOL)
    return list(OPTS.items())


def load(project: str, opts: dict, args=None, files=None, files_win=False, **overrides) -> Options:
    """The options of one service, and logging set up unless the program has done so.

    `args` are command line arguments (none by default), `files` configuration
    files instead of /etc/<project>/<project>.conf, `overrides` are `name=value` or
    `group__name=value`: with `files_win` only where the files say nothing, credentials
    of [keystone_authtoken] apart.  An unknown override is an oslo.config NoSuchOptError.
    """
    # oslo.log adds a handler of its own as soon as its options are registered.
    embedded = bool(logging.getLogger().handlers)
    conf = Options()
    _register(conf, opts)
    conf(args=list(args or []), project=project, default_config_files=files,
         default_config_dirs=None if files is None else [])
    _override(conf, overrides, conf.set_default if files_win else conf.set_override)
    if not embedded:
        _set_up_log(conf, project)
    return conf


def register_authtoken(conf):
    """[keystone_authtoken] and its plugin's options, with what load() was told of them.

    Late, because it imports keystonemiddleware, which only an API needs.
    """
    from keystoneauth1 import loading
    from keystonemiddleware import auth_token
    pending = getattr(conf, _pending)
    for group, options in auth_token.list_opts():
        conf.register_opts(options, group)
    if 'auth_type' in pending:
        conf.set_override('auth_type', pending['auth_type'], _AUTHTOKEN)
    if kind := conf.keystone_authtoken.auth_type:
        conf.register_opts(loading.get_auth_plugin_conf_options(kind), _AUTHTOKEN)
    for name, value in pending.items():
        conf.set_override(name, value, _AUTHTOKEN)


def _register(conf, opts):
    from oslo_db import options as oslo_db
    from oslo_log import log
    from oslo_policy import opts as oslo_policy
    log.register_options(conf)
    conf.register_cli_opts(COMMAND_LINE_OPTS)
    conf.register_opts(MESSAGING_OPTS)
    conf.register_opts(oslo_db.database_opts, 'database')
    for name, value in POOL.items():
        conf.set_default(name, value, 'database')
    oslo_policy.set_defaults(conf)
    for group, options in [*OPTS.items(), *opts.items()]:
        group = None if group in (None, 'DEFAULT') else group
        for option in options:
            conf.register_opt(option, group)


def _override(conf, overrides, put):
    # keystonemiddleware's options exist only once it is imported.
    pending = {}
    for name, value in overrides.items():
        group, _, option = name.rpartition('__')
        if group == _AUTHTOKEN:
            pending[option] = value
        else:
            put(option, value, group or None)
    setattr(conf, _pending, pending)


def _set_up_log(conf, project):
    from oslo_log import log
    if not (conf.log_file or conf.log_dir or conf.use_journal):
        # Standard output, oslo.log's choice, belongs to what a command prints.
        conf.set_default('use_stderr', True)
    log.setup(conf, project)

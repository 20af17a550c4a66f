"""The API for WSGI servers: `uwsgi --module 'volsvc.wsgi:application()'`, `gunicorn 'volsvc.wsgi:application()'`."""
import os


def application():
    """Configured by /etc/volsvc/volsvc.conf, or by the files in OS_VOLSVC_CONFIG_FILES, separated by `;`."""
    from svckit import conf as configuration
    from volsvc import conf
    from volsvc.service import Service
    named = [name for name in os.environ.get('OS_VOLSVC_CONFIG_FILES', '').split(';') if name]
    return Service(configuration.load('volsvc', conf.OPTS, files=named or None)).api()

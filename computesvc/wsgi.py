"""For WSGI servers such as uWSGI and gunicorn: `computesvc.wsgi:application()`."""
import os


def application():
    """The API, configured from OS_COMPUTESVC_CONFIG_FILES (separated by ':') or /etc/computesvc/computesvc.conf."""
    from computesvc import conf as options
    from computesvc.service import Service
    from svckit import conf
    named = os.environ.get('OS_COMPUTESVC_CONFIG_FILES')
    return Service(conf.load('computesvc', options.OPTS, files=named.split(':') if named else None)).api()

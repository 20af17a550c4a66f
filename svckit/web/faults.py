"""Errors in the JSON form that Cinder's and Nova's clients read.

{"itemNotFound": {"code": 404, "message": "…"}}, with `retryAfter` beside them for
413.  The names are those of cinder/api/openstack/wsgi.py and
nova/api/openstack/wsgi.py; both call whatever has none `computeFault`.
"""
import http
import logging

from svckit import errors
from svckit.web.response import Response

LOG = logging.getLogger(__name__)
NAMES = {400: 'badRequest', 401: 'unauthorized', 403: 'forbidden', 404: 'itemNotFound', 405: 'badMethod',
         409: 'conflictingRequest', 413: 'overLimit', 415: 'badMediaType', 429: 'overLimit',
         501: 'notImplemented', 503: 'serviceUnavailable'}
UNEXPECTED = ('Unexpected API Error. The server could not complete the request; its log says why under '
              'the request id of this answer.')


def fault(error: Exception) -> Response:
    """The answer to a request that ended in `error`; one that nobody foresaw is logged and tells nothing."""
    if not isinstance(error, errors.Error):
        error = _foreseen(error) or _unexpected(error)
    status = error.status
    content = {'code': status, 'message': str(error)}
    if 'Retry-After' in error.headers and status in (413, 429):
        content['retryAfter'] = error.headers['Retry-After']
    return Response({NAMES.get(status, 'computeFault'): content}, status, error.headers)


def reason(status: int) -> str:
    """'404 Not Found'."""
    return _REASONS.get(status) or f'{status} Unknown'


def _foreseen(error):
    """Database errors that are no fault of the code's."""
    from oslo_db import exception as db
    from sqlalchemy import exc
    # oslo.db knows only some of the "too long" and "out of range" of each database.
    if isinstance(error, db.DBDataError) or isinstance(getattr(error, 'inner_exception', error), exc.DataError):
        LOG.info('A value that the database refused: %s', error)
        return errors.BadRequest('A value in the request is too long or out of range.')
    if isinstance(error, db.DBConnectionError | db.DBDeadlock | exc.TimeoutError):
        LOG.error('The database does not answer: %s', error)
        return errors.Unavailable('The database does not answer; please try again.')
    return None


def _unexpected(error):
    LOG.error('Unexpected error.', exc_info=error)
    return errors.Error(UNEXPECTED)


_REASONS = {status.value: f'{status.value} {status.phrase}' for status in http.HTTPStatus}

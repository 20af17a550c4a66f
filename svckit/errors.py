"""Errors that may reach an API, each with its status and its sentence.

A handler never translates errors: it lets them pass, and `svckit.web.faults` turns
them into the API's own JSON.  Services add theirs as subclasses:

    class VolumeInUse(errors.Conflict):
        message = 'Volume {} is in use.'

    raise VolumeInUse(volume_id)
"""


class Error(Exception):
    """`message` is a template for str.format.

    Where it has fields, the arguments fill them; where it has none, an argument
    takes its place.  `headers` go out with the answer.
    """
    status = 500
    message = 'The request could not be carried out.'

    def __init__(self, *values, headers: dict[str, str] | None = None, **named):
        self.headers = dict(headers or {})
        template = self.message
        if values and '{' not in template:
            text = str(values[0])
        else:
            text = template.format(*values, **named)
        super().__init__(text)


class BadRequest(Error):
    status = 400
    message = 'The request is not valid.'


class Unauthorized(Error):
    status = 401
    message = 'The request you have made requires authentication.'


class Forbidden(Error):
    status = 403
    message = 'You are not allowed to do this.'


class NotFound(Error):
    """NotFound('Volume', id) or NotFound('a whole sentence.')."""
    status = 404
    message = 'The resource could not be found.'

    def __init__(self, *values, **named):
        if len(values) == 2:
            values = ('{} {} could not be found.'.format(*values),)
        super().__init__(*values, **named)


class MethodNotAllowed(Error):
    status = 405
    message = 'This resource does not know that method.'

    def __init__(self, *values, allow=(), **named):
        super().__init__(*values, **named)
        if allow:
            self.headers['Allow'] = ', '.join(sorted(allow))


class NotAcceptable(Error):
    status = 406
    message = 'This version of the API is not supported.'


class Conflict(Error):
    status = 409
    message = 'The resource is in another state than this needs.'


class TooLarge(Error):
    status = 413
    message = 'The request is too large.'


class OverQuota(TooLarge):
    """Refused now, possible later: clients read Retry-After (seconds)."""
    message = 'The quota is exceeded.'

    def __init__(self, *values, **named):
        super().__init__(*values, **named)
        self.headers.setdefault('Retry-After', '0')


class UnsupportedMediaType(Error):
    status = 415
    message = 'The body must be application/json.'


class Unavailable(Error):
    status = 503
    message = 'A service that this needs does not answer; please try again.'

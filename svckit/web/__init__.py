"""HTTP APIs: a route table of handlers, and everything around them.

    ROUTES = {'/v3/{project_id}/volumes/{volume_id}': {'GET': volumes.show, 'DELETE': volumes.delete}}
    app = web.application(service, ROUTES, VERSIONS)

A handler declares what it takes (`@handler(status=202, body=SCHEMA)`), looks up,
authorises and hands over.  Request ids, tokens, microversions, schemas, faults and
paging are done here; what is asked for is not.
"""
from svckit.web.app import application
from svckit.web.handler import actions, by_version, handler
from svckit.web.microversion import Microversion, Versions
from svckit.web.paging import Page, links
from svckit.web.request import Request
from svckit.web.response import Response

__all__ = ['Microversion', 'Page', 'Request', 'Response', 'Versions', 'actions', 'application', 'by_version',
           'handler', 'links']

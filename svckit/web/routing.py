"""The route table, compiled once: a tree of path segments.

A literal segment wins over a `{name}`, and a trailing slash makes no difference.
"""
from svckit import errors


class Router:
    """Finds handlers; `routes` is {'/v3/{project_id}/volumes': {'GET': handler}}.

    A path that starts with `{project_id}` below its version can be written without
    it, as both services' later microversions allow.
    """

    def __init__(self, routes: dict[str, dict]):
        self._root = _Node()
        for path, methods in routes.items():
            self._add(path, path, methods)
            if '/{project_id}/' in path:
                self._add(path.replace('/{project_id}/', '/', 1), path, methods)

    def find(self, path: str, method: str):
        """(handler, arguments, the route as written); NotFound or MethodNotAllowed otherwise."""
        values: list[str] = []
        node = _match(self._root, _segments(path), 0, values)
        if node is None:
            raise errors.NotFound()
        handler = node.methods.get(method)
        if handler is None:
            raise errors.MethodNotAllowed(allow=node.methods)
        return handler, dict(zip(node.names, values, strict=True)), node.route

    def _add(self, path, route, methods):
        node, names = self._root, []
        for segment in _segments(path):
            if segment[:1] == '{':
                names.append(segment[1:-1])
                if node.any is None:
                    node.any = _Node()
                node = node.any
            else:
                node = node.literal.setdefault(segment, _Node())
        if not node.methods:
            node.methods, node.names, node.route = methods, names, route


class _Node:
    __slots__ = ('literal', 'any', 'methods', 'names', 'route')

    def __init__(self):
        self.literal: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.methods, self.names, self.route = {}, [], None


def _segments(path: str) -> list[str]:
    return path.strip('/').split('/') if path != '/' else []


def _match(node, segments, place, values):
    if place == len(segments):
        return node if node.methods else None
    segment = segments[place]
    literal = node.literal.get(segment)
    if literal is not None and (found := _match(literal, segments, place + 1, values)):
        return found
    if node.any is not None and segment:
        values.append(segment)
        if found := _match(node.any, segments, place + 1, values):
            return found
        values.pop()
    return None

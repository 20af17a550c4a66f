"""The compute service, by the Nova v2.1 API and nothing but it.

A real Nova answers all of this but the capabilities of a hypervisor, where its 404
means "cannot tell".
"""
import dataclasses
import time

from svckit.peer import NoAnswer, Peer, Refusal

EVENT = '2.51'              # the first with volume-extended
ATTACHMENT_ID = '2.89'      # the first that tells which attachment a server has a volume by
DETAILS = '2.84'            # the first that tells why an action failed
REMEMBERED = 10.0           # seconds

__all__ = ['Compute', 'Growth', 'NoAnswer', 'Refusal']


@dataclasses.dataclass(frozen=True)
class Growth:
    """How the guest's side of a growth stands."""
    result: str | None = None        # 'Success' or 'Error', None while it is under way
    details: str | None = None       # what it waits for, or why it ended so


class Compute:
    """Raises NoAnswer when the service cannot be asked, Refusal when it says no."""

    def __init__(self, conf, session=None, clock=time.monotonic):
        self.peer = Peer(conf, 'compute', 'volsvc', session)
        self._details = DETAILS
        self._clock = clock
        self._known: dict[str, tuple[float, dict]] = {}      # hypervisor -> (when, its capabilities)

    def tell_extended(self, server_id: str, volume_id: str, request_id: str | None = None) -> tuple[int, str | None]:
        """Send `volume-extended`: (the event's own code, the id of the request that its action goes by).

        200 taken, 404 no such server or it has not that volume, 422 the server is on no host, 400 not for it.
        A Nova that could give none of the events to anybody answers 404 as a whole.
        """
        event = {'name': 'volume-extended', 'server_uuid': server_id, 'tag': volume_id}
        headers = {'X-OpenStack-Request-ID': request_id} if request_id else {}
        response = self.peer.call('POST', '/os-server-external-events', {'events': [event]},
                                  headers=_version(EVENT) | headers, good=(200, 207, 404))
        if response.status_code == 404:
            return 404, None
        code = _inside(response, 'events')[0].get('code', 200)
        return int(code), response.headers.get('X-OpenStack-Request-ID')

    def growth(self, server_id: str, request_id: str) -> Growth | None:
        """What became of the event that was sent by that request; None if nobody knows of it."""
        path = f'/servers/{server_id}/os-instance-actions/{request_id}'
        try:
            answer = self.peer.call('GET', path, headers=_version(self._details), good=(200, 404, 406))
            if answer.status_code == 406:
                self._details = EVENT
                answer = self.peer.call('GET', path, headers=_version(EVENT), good=(200, 404))
        except Refusal as error:
            raise NoAnswer(f'compute service: {error}') from error
        if answer.status_code == 404:
            return None
        action = _inside(answer, 'instanceAction')
        events = [event for event in action.get('events') or () if event['event'] == 'compute_extend_volume']
        ended = [event for event in events if event.get('result')]
        if not ended:
            waits_for = next((event['details'] for event in events if event.get('details')), None)
            return Growth('Error', action['message']) if action.get('message') else Growth(details=waits_for)
        return Growth(ended[-1]['result'], ended[-1].get('details') or action.get('message'))

    def server(self, server_id: str) -> dict | None:
        """The server as an administrator sees it, None if there is none."""
        return self._get(f'/servers/{server_id}', 'server')

    def is_busy(self, server_id: str) -> bool:
        """Whether anything is being done to the server, such as a move to another host."""
        return bool((self.server(server_id) or {}).get('OS-EXT-STS:task_state'))

    def cannot_grow(self, server_id: str, host: str | None, protocol: str | None, timeout: float) -> str | None:
        """Why the host of a server can never show it a larger disk while it runs; None if it can, or nobody can tell.

        `host` is what the host called itself when the volume was connected to it; a
        hypervisor by another name is looked for through the server.
        """
        found = self._capabilities(host, timeout) if host else None
        if found is None:
            server = self._get(f'/servers/{server_id}', 'server', timeout) or {}
            node = server.get('OS-EXT-SRV-ATTR:hypervisor_hostname')
            found = self._capabilities(node, timeout) if node and node != host else None
        if found is None:
            return None
        if not found.get('extend_attached', True):
            return f'its hypervisor ({found.get("hypervisor_type", "unknown")}) cannot grow a disk in use'
        if protocol and protocol not in found.get('protocols', [protocol]):
            return f'its host cannot grow volumes connected by {protocol}'
        return None

    def attachment_of(self, server_id: str, volume_id: str) -> dict | None:
        """The server's side of an attachment, {'attachment_id', …}; None if it has not the volume."""
        return self._get(f'/servers/{server_id}/os-volume_attachments/{volume_id}', 'volumeAttachment',
                         version=ATTACHMENT_ID)

    def _capabilities(self, host, timeout):
        """What a hypervisor said of itself, if it says so at all; it does not learn new tricks within seconds."""
        said, found = self._known.get(host, (float('-inf'), None))
        if self._clock() - said > REMEMBERED:
            found = self._get(f'/os-hypervisors/{host}/capabilities', 'capabilities', timeout)
            if found is not None:
                self._known[host] = self._clock(), found
        return found

    def _get(self, path, key, timeout=None, version=EVENT):
        answer = self.peer.call('GET', path, headers=_version(version), good=(200, 404), timeout=timeout)
        return None if answer.status_code == 404 else _inside(answer, key)


def _inside(answer, key):
    """What the answer's body holds under `key`; NoAnswer if whatever listens there speaks of something else."""
    try:
        return answer.json()[key]
    except (ValueError, LookupError, TypeError) as error:
        raise NoAnswer(f'compute service: an answer without {key!r}') from error


def _version(number) -> dict:
    return {'OpenStack-API-Version': f'compute {number}', 'X-OpenStack-Nova-API-Version': number}

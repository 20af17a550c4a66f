"""What another machine shows of a volume, printed as JSON there: sight.py for a host that one cannot read the /sys of.

    python -m tests.lab.look VOLUME HYPERVISOR SERVER [PLACE…]     PLACE: digests of the data from these bytes on, too
"""
import json
import sys

from tests.lab.sight import Seen, digest


def look(volume, hypervisor, server, *places) -> dict:
    seen = Seen(volume, hypervisor)
    found = {'disks': seen.disks(), 'paths': seen.paths()}
    if found['disks']:
        found |= {'members': sorted(seen.members()), 'map': seen.on_host(), 'guest': seen.in_guest(server),
                  'data': [digest(seen.device(), int(place)) for place in places]}
    return found


if __name__ == '__main__':
    print(json.dumps(look(*sys.argv[1:])))

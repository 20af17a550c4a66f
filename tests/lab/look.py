"""What another machine shows of a volume, printed as JSON there: sight.py for a host that one cannot read the /sys of.

    python -m tests.lab.look VOLUME HYPERVISOR SERVER [PLACE…]     PLACE: digests of the data from these bytes on, too
"""
import json
import sys

from tests.lab.sight import Seen, digest


def main():
    volume, hypervisor, server, *places = sys.argv[1:]
    seen = Seen(volume, hypervisor)
    found = {'disks': seen.disks(), 'paths': seen.paths()}
    if found['disks']:
        found |= {'members': sorted(seen.members()), 'map': seen.on_host(), 'guest': seen.in_guest(server),
                  'data': [digest(seen.device(), int(place)) for place in places]}
    print(json.dumps(found))


if __name__ == '__main__':
    main()

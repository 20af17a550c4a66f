"""A burst of creates: whether every volume becomes available, and how many a second.

    .venv/bin/python benchmarks/processes.py -- .venv/bin/python benchmarks/burst.py {endpoint}

Against any Cinder v3 endpoint without authentication. So many clients, each on one connection that it keeps, ask for
the next volume of 1 GiB as soon as the last was accepted; then it is waited until no volume is 'creating' any more.
Afterwards all are deleted. Exit status 1 unless every volume asked for was accepted and became available.
Prints a table (requests, volumes by status, rates) and, as its last line, the same as one JSON object.
"""
import argparse
import collections
import http.client
import json
import pathlib
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchmarks import figures  # noqa: E402

PREFIX = 'burst-'
HEADERS = {'Content-Type': 'application/json', 'Accept': 'application/json', 'OpenStack-API-Version': 'volume 3.71',
           'X-User-Id': 'bench', 'X-Project-Id': '0123456789abcdef0123456789abcdef', 'X-Roles': 'admin,member,reader',
           'X-Auth-Token': 'bench:0123456789abcdef0123456789abcdef'}         # what Cinder reads in place of the three


class Client:
    def __init__(self, endpoint):
        self.url = urllib.parse.urlsplit(endpoint)
        self.connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)

    def ask(self, method, path, body=None):
        """(status, JSON or None); a connection that was closed is opened anew."""
        self.connection.request(method, self.url.path + path, body and json.dumps(body), HEADERS)
        answer = self.connection.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw else None


def create(options) -> tuple[collections.Counter, list[float], float]:
    """(answers by status, seconds of each, seconds of all)."""
    answers, taken, left, lock = collections.Counter(), [], iter(range(options.count)), threading.Lock()

    def work():
        client = Client(options.endpoint)
        while True:
            with lock:
                number = next(left, None)
            if number is None:
                return
            began = time.perf_counter()
            status, _ = client.ask('POST', '/volumes', {'volume': {'size': 1, 'name': f'{PREFIX}{number}'}})
            with lock:
                answers[status] += 1
                taken.append(time.perf_counter() - began)
    began = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers, taken, time.perf_counter() - began


def volumes(client) -> list[dict]:
    """All of the burst."""
    found, query = [], '?limit=500'
    while query:
        _, page = client.ask('GET', f'/volumes/detail{query}')
        found += [volume for volume in page['volumes'] if (volume['name'] or '').startswith(PREFIX)]
        links = [link['href'] for link in page.get('volumes_links', ()) if link['rel'] == 'next']
        query = f'?{urllib.parse.urlsplit(links[0]).query}' if links else None
    return found


def settled(client, seconds, gone=False) -> list[dict]:
    """The volumes once none changes any more (or none is left), or as they are after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        found = volumes(client)
        changing = found if gone else [volume for volume in found if volume['status'] == 'creating']
        if not changing or time.monotonic() > end:
            return found
        time.sleep(0.1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('endpoint', help='http://…/v3/<project>')
    parser.add_argument('--count', type=int, default=840)
    parser.add_argument('--clients', type=int, default=8)
    parser.add_argument('--wait', type=float, default=300.0, help='seconds to wait for the last volume')
    options = parser.parse_args()
    client, began = Client(options.endpoint), time.perf_counter()
    answers, taken, asking = create(options)
    found = settled(client, options.wait)
    made = time.perf_counter() - began
    statuses = collections.Counter(volume['status'] for volume in found)
    for volume in found:
        client.ask('DELETE', f'/volumes/{volume["id"]}')
    left = settled(client, options.wait, gone=True)
    result = {'clients': options.clients, 'answers': dict(answers), 'volumes': dict(statuses), 'left': len(left),
              'accepted_per_s': round(options.count / asking, 1),
              'available_per_s': round(statuses['available'] / made, 1), 'request': figures.summary(taken)}
    figures.report(('measurement', 'value'), [(name, str(value)) for name, value in result.items()], result)
    return 0 if answers == {202: options.count} and statuses == {'available': options.count} and not left else 1


if __name__ == '__main__':
    sys.exit(main())

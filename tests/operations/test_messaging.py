"""Wakes and calls over a real broker, and what happens while it is away."""
import queue
import threading
import time

import kombu
import oslo_messaging
import pytest

from svckit import conf
from svckit.messaging import Local, Messaging


class Shop:
    def add(self, a, b):
        return {'sum': a + b}


def _messaging(url, name='test', local=None):
    return Messaging(conf.load('test', {}, files=[], transport_url=url), name, local)


def _until(ask, seconds=60):
    end = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < end, f'not within {seconds} s'
        time.sleep(0.05)


@pytest.fixture
def pair(rabbitmq):
    here, there = _messaging(rabbitmq.url), _messaging(rabbitmq.url)
    yield here, there
    here.stop()
    there.stop()


def test_a_wake_and_a_call_cross_the_broker(pair):
    here, there = pair
    woken = threading.Event()
    there.listen(['worker:host@file'], woken.set)
    there.serve('desk', Shop())

    def heard():
        here.wake({'worker:host@file'})
        return woken.wait(0.5)
    _until(heard)
    assert here.client('desk')('add', a=1, b=2) == {'sum': 3}


def test_while_the_broker_is_away_waking_returns_at_once_and_works_again_later(rabbitmq, pair):
    here, there = pair
    woken = threading.Event()
    there.listen(['conductor'], woken.set)
    _until(lambda: here.wake({'conductor'}) or woken.wait(0.5))
    rabbitmq.stop()
    try:
        before = time.monotonic()
        for _ in range(20):
            here.wake({'conductor'})
            here.notify('volume.resize.end', {'size': 1})
        # Twenty that each tried the broker would take many times as long.
        assert time.monotonic() - before < 2
    finally:
        rabbitmq.start()
    woken.clear()
    _until(lambda: here.wake({'conductor'}) or woken.wait(0.5), 120)


def test_within_one_process_a_wake_is_a_call():
    local = Local()
    here, other = _messaging('', local=local), _messaging('', name='other', local=local)
    heard = []
    here.listen({'conductor'}, lambda: heard.append('here'))
    other.listen({'conductor'}, lambda: heard.append('other'))
    here.wake({'conductor', 'nobody'})
    assert heard == ['here']
    here.serve('desk', Shop())
    assert here.client('desk')('add', a=1, b=2) == {'sum': 3}


def test_a_notification_crosses_the_broker_with_who_says_it(pair):
    """As meters hear it: publisher, event, payload; what failed has the priority of errors."""
    heard = queue.Queue()

    class Meter:
        def info(self, context, publisher, event, payload, metadata):
            heard.put(('info', publisher, event, payload, context.get('request_id')))

        def error(self, context, publisher, event, payload, metadata):
            heard.put(('error', publisher, event, payload, context.get('request_id')))
    here, there = pair
    oslo_messaging.get_notification_transport(here.conf)        # declares the option
    here.conf.set_override('driver', ['messagingv2'], 'oslo_messaging_notifications')
    listener = oslo_messaging.get_notification_listener(
        oslo_messaging.get_notification_transport(there.conf), [oslo_messaging.Target(topic='notifications')],
        [Meter()], executor='threading')
    listener.start()
    try:
        here.notify('compute.instance.create.end', {'vcpus': 1}, publisher='compute.host1')
        here.notify('compute.instance.create.error', {'vcpus': 2}, publisher='compute.host1')
        here.notify('volume.resize.end', {'size': 3}, {'request_id': 'req-1'})
        # Each priority has a queue of its own.
        assert sorted((heard.get(timeout=60) for _ in range(3)), key=str) == [
            ('error', 'compute.host1', 'compute.instance.create.error', {'vcpus': 2}, None),
            ('info', 'compute.host1', 'compute.instance.create.end', {'vcpus': 1}, None),
            ('info', here.name, 'volume.resize.end', {'size': 3}, 'req-1')]
    finally:
        listener.stop()
        listener.wait()


def test_where_no_driver_is_configured_nobody_is_notified(rabbitmq, pair):
    """A broker would keep what nobody fetches."""
    here, _ = pair
    oslo_messaging.get_notification_transport(here.conf)
    here.conf.set_override('topics', ['of_nobody'], 'oslo_messaging_notifications')
    woken = threading.Event()
    here.listen({'conductor'}, woken.set)
    here.notify('volume.resize.end', {'size': 3})
    _until(lambda: here.silent)
    _until(lambda: here.wake({'conductor'}) or woken.wait(0.5))        # what came after it has arrived
    connection = kombu.Connection(rabbitmq.url.replace('rabbit:', 'amqp:'))
    with connection, pytest.raises(connection.channel_errors, match='NOT_FOUND'):
        connection.default_channel.queue_declare('of_nobody.info', passive=True)

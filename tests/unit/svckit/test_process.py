"""The process: threads, native calls, signals; each story in a process of its own."""
import logging
import signal
import subprocess
import sys
import textwrap

import pytest

from svckit import process

BOTH = pytest.mark.parametrize('concurrency', ['eventlet', 'threads'])


def run(program, *arguments, **kwargs):
    return subprocess.run([sys.executable, '-c', textwrap.dedent(program), *arguments],
                          capture_output=True, text=True, timeout=30, **kwargs)


@BOTH
def test_it_starts_as_told_and_says_nothing(concurrency):
    done = run('''
        from svckit import process
        process.start(); process.start()
        import threading
        patched = 'eventlet' in type(threading.current_thread()).__module__ or hasattr(threading, '__patched__')
        from eventlet import patcher
        print(process.concurrency(), patcher.is_monkey_patched('socket'))
        ''', '--concurrency', concurrency)
    assert done.stdout.split() == [concurrency, str(concurrency == 'eventlet')]
    assert concurrency == 'threads' or done.stderr == ''


def test_eventlet_is_the_default_and_nonsense_is_refused():
    program = 'from svckit import process; process.start(); print(process.concurrency())'
    assert run(program).stdout.strip() == 'eventlet'
    assert run(program, '--concurrency=threads').stdout.strip() == 'threads'
    refused = run(program, '--concurrency', 'fibres')
    assert refused.returncode != 0 and 'eventlet, threads' in refused.stderr


@BOTH
def test_a_program_that_takes_too_long_is_told_by_the_error_one_catches(concurrency):
    done = run('''
        from svckit import process
        process.start()
        import subprocess
        try:
            subprocess.run(['sleep', '9'], capture_output=True, timeout=0.1)
        except subprocess.TimeoutExpired:
            print('caught')
        ''', '--concurrency', concurrency)
    assert done.stdout == 'caught\n', done.stderr


@BOTH
def test_native_calls_hold_up_nobody_and_pass_errors_on(concurrency):
    done = run('''
        from svckit import process
        process.start()
        import ctypes, threading, time
        ticks = []
        def tick():
            while True:
                ticks.append(1)
                time.sleep(0.01)
        process.spawn(tick)
        process.native(ctypes.CDLL(None).usleep, 300000)
        print(len(ticks) > 5)
        try:
            process.native(int, 'x')
        except ValueError as error:
            print('ValueError')
        print(process.native(process.native, int, '7'))
        ''', '--concurrency', concurrency)
    assert done.stdout.split() == ['True', 'ValueError', '7'], done.stderr


@BOTH
def test_names_are_looked_up_without_holding_up_anybody(concurrency):
    done = run("""
        from svckit import process
        process.start()
        import socket, threading, sys
        listener = socket.create_server(('127.0.0.1', 0))
        process.spawn(listener.accept)
        socket.create_connection(('localhost', listener.getsockname()[1]), timeout=5).close()
        print(socket.getaddrinfo('127.0.0.1', 80)[0][4], 'dns' in sys.modules)
        try:
            socket.getaddrinfo('no such name', 80)
        except socket.gaierror:
            print('gaierror')
        """, '--concurrency', concurrency)
    assert done.stdout.split('\n')[:2] == ["('127.0.0.1', 80) False", 'gaierror'], done.stderr


def test_an_error_that_escapes_a_thread_is_logged(caplog):
    def fail():
        raise RuntimeError('out')

    with caplog.at_level(logging.ERROR):
        process.spawn(fail, name='odd').join(5)
    assert 'Thread odd' in caplog.text and 'RuntimeError: out' in caplog.text


WAITING = '''
    from svckit import process
    process.start()
    import sys, time
    def stop():
        print('stopping', flush=True)
        time.sleep(float(sys.argv[3]))
        print('stopped', flush=True)
    print('ready', flush=True)
    process.until_signal(stop)
    '''


def waiting(concurrency, seconds):
    child = subprocess.Popen([sys.executable, '-c', textwrap.dedent(WAITING), '--concurrency', concurrency,
                              str(seconds)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == 'ready\n'
    return child


def test_native_calls_under_way_do_not_abort_the_end_of_the_process():
    """A dozen hashes end one after the other in the very moment in which the interpreter does."""
    for _ in range(3):
        done = run("""
            from svckit import process
            process.start('eventlet')
            import bcrypt, time
            for n in range(12):
                process.spawn(process.native, bcrypt.hashpw, b'x', bcrypt.gensalt(5 + n % 5), name='hash')
            time.sleep(0.02)
            """)
        assert done.returncode == 0, done.stderr


@BOTH
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_once(concurrency, number):
    with waiting(concurrency, 0) as child:
        # Between the line and the handlers lies a moment, in which a signal ends the process as ever.
        subprocess.run(['sleep', '0.2'])
        child.send_signal(number)
        assert child.stdout.read() == 'stopping\nstopped\n'
        assert child.wait(10) == 0


STARTING = '''
    from svckit import process
    process.start()
    import time
    process.interrupt_start()
    def work():
        print('working', flush=True)
        while True:
            sum(range(100000))
            time.sleep(0)
    try:
        process.spawn(work)
        for _ in range(100):
            time.sleep(0.01)
        process.until_signal(lambda: print('stopping', flush=True))
    except KeyboardInterrupt:
        print('stopping', flush=True)
'''


@BOTH
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_starts_is_never_lost(concurrency, number):
    """It finds another green thread running, nearly always."""
    with subprocess.Popen([sys.executable, '-c', textwrap.dedent(STARTING), '--concurrency', concurrency],
                          stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == 'working\n'
        child.send_signal(number)
        try:
            assert child.communicate(timeout=20)[0] == 'stopping\n'
        finally:
            child.kill()


@BOTH
def test_a_second_signal_ends_at_once(concurrency):
    with waiting(concurrency, 60) as child:
        subprocess.run(['sleep', '0.2'])
        child.send_signal(signal.SIGTERM)
        assert child.stdout.readline() == 'stopping\n'
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 128 + signal.SIGTERM


@BOTH
def test_a_second_signal_ends_at_once_what_no_signal_interrupts(concurrency):
    """As if it had come in the moment before the main thread's call: only another thread gets it."""
    program = """
        from svckit import process
        process.start()
        import signal, time
        process.native(int)
        def stop():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            print('stopping', flush=True)
            time.sleep(60)
        print('ready', flush=True)
        process.until_signal(stop)
        """
    child = subprocess.Popen([sys.executable, '-c', textwrap.dedent(program), '--concurrency', concurrency],
                             stdout=subprocess.PIPE, text=True)
    with child:
        try:
            assert child.stdout.readline() == 'ready\n'
            subprocess.run(['sleep', '0.2'])
            child.send_signal(signal.SIGTERM)
            assert child.stdout.readline() == 'stopping\n'
            child.send_signal(signal.SIGTERM)
            assert child.wait(10) == 128 + signal.SIGTERM
        finally:
            child.kill()


def test_a_forked_child_killed_while_it_logs_silences_nobody(tmp_path):
    """oslo.log's lock under eventlet is a pipe, which a fork shares."""
    done = run('''
        import os, signal, sys
        from svckit import process
        process.start('eventlet')
        import logging
        from svckit import conf
        conf.load('test', {}, args=[])
        pid = os.fork()
        if not pid:
            process.after_fork()
            logging.getLogger().handlers[0].acquire()
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)
        logging.getLogger('test').error('still here')
        ''', cwd=tmp_path)
    assert 'still here' in done.stderr

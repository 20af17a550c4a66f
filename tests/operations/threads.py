"""Work that many do at once."""
import threading

from svckit import errors


def at_once(count, work):
    """work(n) in `count` threads at once; what each returned, or the error."""
    answers, gate = [None] * count, threading.Barrier(count)

    def run(n):
        gate.wait()
        try:
            answers[n] = work(n)
        except errors.Error as error:
            answers[n] = error
    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers

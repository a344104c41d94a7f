"""Waits at known places, and says for how long it had no core at each: a word for it, and nanoseconds."""

import os
import threading
import time

requests, answers = os.pipe(), os.pipe()
lock = threading.Lock()
file = os.open("written", os.O_CREAT | os.O_RDWR)
times = {"sleep": [], "read": [], "lock": [], "fsync": []}  # of both threads


def took(place, f, *args):
    begin = time.monotonic_ns() - time.thread_time_ns()
    result = f(*args)
    times[place].append(time.monotonic_ns() - time.thread_time_ns() - begin)
    return result


def serve():
    while (kind := took("read", os.read, requests[0], 1)) != b"e":
        if kind == b"l":
            took("lock", lock.acquire)
        else:
            took("sleep", time.sleep, 0.003)
        os.write(answers[1], kind)
        if kind == b"l":
            took("sleep", time.sleep, 0.004)
            lock.release()


server = threading.Thread(target=serve)
server.start()
for i in range(50):
    took("sleep", time.sleep, 0.002)
    os.write(requests[1], b"r")
    took("read", os.read, answers[0], 1)
    os.write(requests[1], b"l")
    took("read", os.read, answers[0], 1)
    took("lock", lock.acquire)
    lock.release()
    os.pwrite(file, b"x", 4096 * i)
    took("fsync", os.fsync, file)
os.write(requests[1], b"e")
server.join()
for place, all in times.items():
    print(place, sum(all), flush=True)
os._exit(0)

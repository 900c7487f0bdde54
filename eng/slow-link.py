#!/usr/bin/env python3
"""A network cable that is slow when asked to be: for eng/check-hosts, on kernels that have no netem.

    slow-link.py MILLISECONDS PERCENT READY

Makes two TAP devices, slow-port and slow-host, and carries every frame from one to the other. At first at once; after SIGUSR1 so many
milliseconds later, and PERCENT of the frames, drawn from a fixed seed, never; after SIGUSR2 at once again. The file READY is made
when the devices are there. The devices may be moved into other network namespaces, and go when this process ends.
"""
import fcntl
import heapq
import os
import random
import select
import signal
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
FRAME_BYTES = 65536


def tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


def main(delay, loss, ready):
    slow = [False]
    signal.signal(signal.SIGUSR1, lambda *_: slow.__setitem__(0, True))
    signal.signal(signal.SIGUSR2, lambda *_: slow.__setitem__(0, False))
    port, host = tap("slow-port"), tap("slow-host")
    other = {port: host, host: port}
    chance = random.Random(1)
    waiting = []  # (when, number, device, frame): the number keeps frames of one moment in order.
    number = 0
    open(ready, "w").close()
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for device in select.select([port, host], [], [], pause)[0]:
            try:
                frame = os.read(device, FRAME_BYTES)
            except OSError:
                continue  # The device is down.
            if not (slow[0] and chance.random() < loss):
                number += 1
                heapq.heappush(waiting, (time.monotonic() + (delay if slow[0] else 0), number, other[device], frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, device, frame = heapq.heappop(waiting)
            try:
                os.write(device, frame)
            except OSError:
                pass  # The device is down, or its queue is full: the frame is lost, as on a wire.


if __name__ == "__main__":
    main(float(sys.argv[1]) / 1000, float(sys.argv[2]) / 100, sys.argv[3])

"""One rank of Gloo's all-reduce, for AllReduceBenchmark. usage: gloo_allreduce.py RANK RANKS PORT

Obeys lines "allreduce BYTES INNER SAMPLES" and answers each with the milliseconds of its samples.
"""
import os
import sys
import time

import torch
import torch.distributed as dist

rank, ranks, port = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, GLOO_SOCKET_IFNAME="lo")
torch.set_num_threads(1)
dist.init_process_group("gloo", rank=rank, world_size=ranks)

for line in sys.stdin:
    _, size, inner, samples = line.split()
    vector = torch.ones(int(size) // 4)
    dist.all_reduce(vector)
    times = []
    for _ in range(int(samples)):
        vector.fill_(0.0)  # Sums of zeros stay finite however often they are reduced.
        dist.barrier()
        start = time.perf_counter()
        for _ in range(int(inner)):
            dist.all_reduce(vector)
        times.append((time.perf_counter() - start) * 1e3 / int(inner))
    print(*times, flush=True)

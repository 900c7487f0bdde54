"""The other side of the recovery benchmark: LeNet under torchrun with gloo and DDP, a checkpoint every 50 steps.

Every rank notes its process id in PIDS; rank 0 appends "step time" to STEPS after each optimiser step.
Run by the benchmark: python3 -m torch.distributed.run --nproc_per_node=3 --max_restarts=1000 torchrun_lenet.py DIR
"""
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F

BATCH_PER_RANK, CHECKPOINT_EVERY = 171, 50  # 3 x 171 = 513 samples a step, as the 512 of the other side


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.f1, self.f2, self.f3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(torch.relu(self.c1(x)), 2)
        x = F.max_pool2d(torch.relu(self.c2(x)), 2)
        return self.f3(torch.relu(self.f2(torch.relu(self.f1(x.flatten(1))))))


def main():
    folder = sys.argv[1]
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    with open(os.path.join(folder, "pids"), "a") as pids:
        pids.write(f"{rank} {os.getpid()}\n")

    model = nn.parallel.DistributedDataParallel(LeNet())
    optimizer = torch.optim.AdamW(model.parameters())
    checkpoint, step = os.path.join(folder, "checkpoint.pt"), 0
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        step = saved["step"]

    x, y = torch.randn(BATCH_PER_RANK, 1, 28, 28), torch.randint(0, 10, (BATCH_PER_RANK,))
    with open(os.path.join(folder, "steps"), "a", buffering=1) as steps:
        while True:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            step += 1
            if rank == 0:
                steps.write(f"{step} {time.time()}\n")
                if step % CHECKPOINT_EVERY == 0:
                    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, checkpoint + ".tmp")
                    os.replace(checkpoint + ".tmp", checkpoint)


main()

"""Writes the modules of ScriptNetworkTests beside this file. Needs PyTorch; 1.13 wrote those that are here."""

from pathlib import Path
from typing import Tuple

import torch
from torch import nn


class Linear(nn.Module):
    """Images of 8x8 pixels to logits."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.out = nn.Linear(64, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.out(images.flatten(1))


class Convolution(nn.Module):
    """libtorch's optimiser gives the gradients of the second line another formula, and other bits, from the second run on."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.GroupNorm(2, 4)
        self.out = nn.Linear(4 * 36, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = nn.functional.gelu(self.norm(self.conv(images)))
        x = torch.sigmoid(x) * torch.tanh(x) + x * 2
        return self.out(x.flatten(1))


class Fixed(Linear):
    """A bias that is not trained, and a buffer that nothing changes."""

    def __init__(self):
        super().__init__()
        self.out.bias.requires_grad = False
        self.register_buffer("scale", torch.full((10,), 0.5))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.out(images.flatten(1)) * self.scale


class Normalised(Linear):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.norm(self.out(images.flatten(1)))


class Counting(Linear):
    count: int

    def __init__(self):
        super().__init__()
        self.count = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.count += 1
        return self.out(images.flatten(1)) * self.count


class Remembering(Linear):
    """A list, whose changes are no assignment."""

    def __init__(self):
        super().__init__()
        self.seen = [1.0]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(2.0)
        return self.out(images.flatten(1)) * len(self.seen)


class Pair(Linear):
    def forward(self, images: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        return self.out(images.flatten(1)), images


class Two(Linear):
    def forward(self, images: torch.Tensor, more: torch.Tensor) -> torch.Tensor:
        return self.out(images.flatten(1)) + more


class Tied(Linear):
    def __init__(self):
        super().__init__()
        self.twin = nn.Linear(64, 10)
        self.twin.weight = self.out.weight

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.out(images.flatten(1)) + self.twin(images.flatten(1))


class Raising(Linear):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[0] < 1_000_000:
            raise ValueError("too few images for this network")
        return self.out(images.flatten(1))


class Detached(Linear):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.out(images.flatten(1)).detach()


if __name__ == "__main__":
    folder = Path(__file__).parent
    kinds = [Convolution, Fixed, Normalised, Counting, Remembering, Pair, Two, Tied, Raising, Detached]
    modules = {kind.__name__.lower(): kind for kind in kinds} | {"seven": lambda: Linear(7), "double": lambda: Linear().double()}
    for name, make in modules.items():
        torch.manual_seed(1)
        torch.jit.script(make()).save(str(folder / f"{name}.pt"))
    torch.manual_seed(1)
    torch.jit.trace(Convolution(), torch.rand(2, 1, 8, 8)).save(str(folder / "traced.pt"))
    torch.save(Linear().state_dict(), folder / "tensors.pt")

"""Writes data/models/digits-mlp.pt, the module that torchscript-digits.yaml trains. Needs PyTorch (1.13 wrote the one that ships)."""

from pathlib import Path

import torch
from torch import nn


class DigitsMlp(nn.Module):
    """Images of 8x8 pixels, scaled to 0 .. 1, to the logits of ten digits."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(64, 64)
        self.norm = nn.LayerNorm(64)
        self.out = nn.Linear(64, 10)
        self.drop = nn.Dropout(0.1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:  # [n, 1, 8, 8] -> [n, 10]
        x = torch.relu(self.norm(self.hidden(images.flatten(1))))
        return self.out(self.drop(x))


if __name__ == "__main__":
    torch.manual_seed(1)
    file = Path(__file__).parent / "data" / "models" / "digits-mlp.pt"
    file.parent.mkdir(exist_ok=True)
    torch.jit.script(DigitsMlp()).save(str(file))
    print(file)

"""The models of ModelBenchmark.cs in PyTorch, parameter for parameter under the same names.

Reads one JSON command a line and answers one JSON line:
  {"do": "describe"}                                      what this PyTorch is
  {"do": "load", "model": M, "folder": F, "threads": T}   weights and batch from F; answers the loss and the gradient's norm
  {"do": "step", "count": N}                              N forward and backward passes; answers wall and CPU milliseconds of each
  {"do": "lamb", "layers": ..., "width": ..., "heads": ..., "context": ..., "vocabulary": ..., "batch": ..., "device": D}   a Gpt on a device
  {"do": "lamb-steps", "count": N}                        N forward and backward passes of it with a LAMB step each; wall milliseconds of each
"""
import json, os, sys, time
import torch
import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    def __init__(self, width, heads, tokens):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.mask = torch.full((tokens, tokens), float("-inf")).triu(1)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        if hasattr(F, "scaled_dot_product_attention"):  # PyTorch 2
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            y = (q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5 + self.mask).softmax(-1) @ v
        return self.project(y.transpose(1, 2).reshape(n, t, d))


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.expand = nn.Linear(width, 4 * width)
        self.project = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.project(F.gelu(self.expand(x)))


class GptBlock(nn.Module):
    def __init__(self, width, heads, tokens):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads, tokens)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = FeedForward(width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Gpt(nn.Module):
    def __init__(self, layers, width, heads, tokens, vocabulary):
        super().__init__()
        self.token = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(tokens, width)
        self.blocks = nn.ModuleList(GptBlock(width, heads, tokens) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens):
        x = self.token(tokens) + self.position.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.token.weight)


class Mlp(nn.Module):
    def __init__(self, *widths):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x), inplace=True)
        return self.layers[-1](x)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.added = outputs - inputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 2 if self.added else 1, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)), inplace=True)))
        y += F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.added)) if self.added else x
        return F.relu(y, inplace=True)


class ResNet(nn.Module):
    def __init__(self, n, width=16):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        sizes = [width] * (n + 1) + [2 * width] * n + [4 * width] * n
        self.blocks = nn.ModuleList(ResidualBlock(a, b) for a, b in zip(sizes, sizes[1:]))
        self.fc = nn.Linear(4 * width, 10)

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x)), inplace=True)
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3)))


MODELS = {"gpt": lambda: Gpt(4, 128, 4, 128, 256), "mlp": lambda: Mlp(784, 512, 512, 10), "resnet-20": lambda: ResNet(3)}


def describe():
    maps = open("/proc/self/maps").read().split() if os.path.exists("/proc/self/maps") else []
    blas = sorted({os.path.realpath(p) for p in maps if any(name in os.path.basename(p).lower() for name in ("blas", "mkl"))})
    return {"version": torch.__version__, "blas": blas or ["inside libtorch"], "cuda": torch.cuda.is_available()}


def load(folder):
    tensors = {}
    for line in open(os.path.join(folder, "tensors.txt")):
        name, kind, shape = line.split()
        data = open(os.path.join(folder, name), "rb").read()
        tensor = torch.frombuffer(bytearray(data), dtype={"Float32": torch.float32, "Int64": torch.int64}[kind])
        tensors[name] = tensor.view([int(extent) for extent in shape.split(",")])
    return tensors


def step(model, inputs, targets):
    model.zero_grad(set_to_none=True)
    logits = model(inputs)
    loss = F.cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="sum")
    loss.backward()
    return loss.item()


class LambGpt:
    """A Gpt and LAMB (You et al. 2020) by PyTorch's multi-tensor operations."""

    def __init__(self, layers, width, heads, context, vocabulary, batch, device):
        torch.backends.cuda.matmul.allow_tf32 = False
        self.device = device
        self.model = Gpt(layers, width, heads, context, vocabulary).to(device)
        self.params = list(self.model.parameters())
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]
        self.inputs, self.targets = (torch.randint(0, vocabulary, (batch, context), device=device) for _ in range(2))
        self.t = 0

    def step(self):
        step(self.model, self.inputs, self.targets)
        self.update()
        if self.device == "cuda":
            torch.cuda.synchronize()

    @torch.no_grad()
    def update(self, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-6, decay=0.01):
        self.t += 1
        gradients = torch._foreach_div([p.grad for p in self.params], self.inputs.numel())
        torch._foreach_mul_(self.m, beta1)
        torch._foreach_add_(self.m, gradients, alpha=1 - beta1)
        torch._foreach_mul_(self.v, beta2)
        torch._foreach_addcmul_(self.v, gradients, gradients, value=1 - beta2)
        below = torch._foreach_sqrt(torch._foreach_div(self.v, 1 - beta2**self.t))
        torch._foreach_add_(below, epsilon)
        u = torch._foreach_div(torch._foreach_div(self.m, 1 - beta1**self.t), below)
        torch._foreach_add_(u, self.params, alpha=decay)
        ratios = [torch.where((a > 0) & (b > 0), a / b, torch.ones_like(a)) for a, b in zip(torch._foreach_norm(self.params), torch._foreach_norm(u))]
        torch._foreach_mul_(u, ratios)
        torch._foreach_add_(self.params, u, alpha=-rate)


model = inputs = targets = lamb = None
for line in sys.stdin:
    command = json.loads(line)
    if command["do"] == "describe":
        answer = describe()
    elif command["do"] == "load":
        torch.set_num_threads(command["threads"])
        tensors = load(command["folder"])
        inputs, targets = tensors.pop("inputs"), tensors.pop("targets")
        model = MODELS[command["model"]]()
        missing, unexpected = model.load_state_dict(tensors, strict=False)
        if unexpected or any("num_batches_tracked" not in name for name in missing):
            raise SystemExit(f"the models differ: missing {missing}, unexpected {unexpected}")
        loss = step(model, inputs, targets)
        norm = sum(p.grad.double().square().sum().item() for p in model.parameters()) ** 0.5
        answer = {"loss": loss, "norm": norm}
    elif command["do"] == "lamb":
        command.pop("do")
        lamb, answer = LambGpt(**command), {}
    elif command["do"] == "lamb-steps":
        wall = []
        for _ in range(command["count"]):
            start = time.perf_counter()
            lamb.step()
            wall.append((time.perf_counter() - start) * 1e3)
        answer = {"wall": wall}
    else:
        wall, cpu = [], []
        for _ in range(command["count"]):
            wall_start, cpu_start = time.perf_counter(), time.process_time()
            step(model, inputs, targets)
            wall.append((time.perf_counter() - wall_start) * 1e3)
            cpu.append((time.process_time() - cpu_start) * 1e3)
        answer = {"wall": wall, "cpu": cpu}
    print(json.dumps(answer), flush=True)

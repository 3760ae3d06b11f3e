"""Trains with PyTorch on one thread: training.py <task> <rows> <epochs>. Prints one line of JSON; {} without PyTorch."""
import json
import os
import resource
import sys
import time

try:
    import torch
except ImportError:
    print("{}")
    sys.exit(0)

from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)
task, rows, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
BATCH = {"a": 64, "b": 256, "c": 32, "lstm": 64, "gru": 64}
HIDDEN = {"b": [128, 64, 32]}


class Recurrent(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.rnn = cell(10, 32, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(32, 3))

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


def dense(hidden):
    layers, width = [], 30
    for units in hidden:
        layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(0.2)]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, 3))


is_recurrent = task in ("lstm", "gru")
x = torch.randn(rows, 20, 10) if is_recurrent else torch.randn(rows, 30)
y = torch.randint(0, 3, (rows,))
cells = {"lstm": nn.LSTM, "gru": nn.GRU}
model = Recurrent(cells[task]) if is_recurrent else dense(HIDDEN.get(task, [64, 32]))


def train():
    criterion = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 0.5, 1.5]))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    order = torch.randperm(rows)
    for at in range(0, rows, BATCH[task]):
        chosen = order[at : at + BATCH[task]]
        optimizer.zero_grad()
        criterion(model(x[chosen]), y[chosen]).backward()
        optimizer.step()


def infer():
    model.eval()
    with torch.no_grad():
        for at in range(0, rows, 8192):
            torch.softmax(model(x[at : at + 8192]), 1)


elapsed = []
for _ in range(epochs):
    started = time.perf_counter()
    infer() if task == "inference" else train()
    elapsed.append((time.perf_counter() - started) * 1000)
blas = sorted({os.path.basename(line.split()[-1]) for line in open("/proc/self/maps") if "blas" in line})
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"ms": elapsed, "peak_mb": peak_mb, "version": f"{torch.__version__} on {' '.join(blas) or 'its own BLAS'}"}))

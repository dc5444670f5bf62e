"""Trains flight_delay_mlp with PyTorch, the question of train.py answered by a small neural network,
and exports it as ONNX.

    python3 -m venv .venv && .venv/bin/pip install -r examples/flights/requirements-mlp.txt
    .venv/bin/python examples/flights/train_mlp.py

Trained on April, the number of passes chosen on May, measured on the first ten days of June, on rows made as
train.py makes them. What the network needs beside the raw features is part of the graph: missing values become
the mean, each feature is centred, scaled and cut at 8 standard deviations, hour and weekday go
round. Writes models/flight_delay_mlp/1/model.onnx, and what PyTorch says of some flights for the tests.
"""

import copy
import json

import numpy as np
import onnx
import torch
from sklearn.metrics import log_loss, roc_auc_score

from flight_rows import HERE, FlightRows, load_flight_rows

MODEL_PATH = HERE / 'models/flight_delay_mlp/1/model.onnx'
EXPECTED_PATH = HERE / '../../test/fixtures/flights/mlp-june.json'
SEED = 2001
TRAIN_ROW_COUNT = 300_000
TUNE_ROW_COUNT = 100_000
EXPECTED_ROW_COUNT = 20
BATCH_ROW_COUNT = 4096
PASS_COUNT_MAX = 12
PATIENCE = 2
CYCLES = {'hour_of_day': 24, 'day_of_week': 7}


class FlightDelay(torch.nn.Module):
    """Raw features in, NaN where missing; the probability of being late out."""

    def __init__(self, names: list[str], inputs: np.ndarray):
        super().__init__()
        mean = np.nanmean(inputs, axis=0, dtype=np.float64)
        deviation = np.nanstd(inputs, axis=0, dtype=np.float64)
        self.register_buffer('mean', torch.tensor(mean, dtype=torch.float32))
        scale = 1 / np.where(deviation > 0, deviation, 1)
        self.register_buffer('scale', torch.tensor(scale, dtype=torch.float32))
        self.cycles = [
            (names.index(name), 2 * np.pi / length) for name, length in CYCLES.items()
        ]
        width = len(names) + 2 * len(self.cycles)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(width, 64), torch.nn.ReLU(),
            torch.nn.Linear(64, 32), torch.nn.ReLU(),
            torch.nn.Linear(32, 1),
        )

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        known = torch.where(torch.isnan(features), self.mean, features)
        parts = [torch.clamp((known - self.mean) * self.scale, -8, 8)]
        for index, turn in self.cycles:
            angle = known[:, index:index + 1] * turn
            parts += [torch.sin(angle), torch.cos(angle)]
        return self.layers(torch.cat(parts, dim=1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.logits(features))


def main() -> None:
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    rows = load_flight_rows('2001-04-01', '2001-06-11')
    prng = np.random.default_rng(SEED)
    train = sample(prng, np.flatnonzero(rows.month == 4), TRAIN_ROW_COUNT)
    tune = sample(prng, np.flatnonzero(rows.month == 5), TUNE_ROW_COUNT)
    test = np.flatnonzero(rows.month == 6)
    print(f'{len(train)} training, {len(tune)} tuning and {len(test)} test rows')

    model = fit(rows, train, tune)
    predicted = predict(model, rows.inputs[test])
    auc = roc_auc_score(rows.is_late[test], predicted)
    print('| on June 1 to 10 | AUC | log-loss |\n|---|---|---|')
    print(f'| neural network (ONNX) | {auc:.4f} | {log_loss(rows.is_late[test], predicted):.4f} |')
    export(model, len(rows.names))
    record(model, rows, sample(prng, test, EXPECTED_ROW_COUNT))


def sample(prng: np.random.Generator, indices: np.ndarray, count: int) -> np.ndarray:
    return np.sort(prng.choice(indices, count, replace=False))


def fit(rows: FlightRows, train: np.ndarray, tune: np.ndarray) -> FlightDelay:
    """The model after the pass with the least log-loss on the tuning rows."""
    inputs = torch.from_numpy(rows.inputs[train])
    is_late = torch.from_numpy(rows.is_late[train].astype('float32')).unsqueeze(1)
    model = FlightDelay(rows.names, rows.inputs[train])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-4)
    steps = PASS_COUNT_MAX * (len(train) // BATCH_ROW_COUNT + 1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    loss_of = torch.nn.BCEWithLogitsLoss()
    best, best_loss, worse_count = model, np.inf, 0
    for number in range(1, PASS_COUNT_MAX + 1):
        for batch in torch.randperm(len(train)).split(BATCH_ROW_COUNT):
            optimizer.zero_grad()
            loss_of(model.logits(inputs[batch]), is_late[batch]).backward()
            optimizer.step()
            schedule.step()
        loss = log_loss(rows.is_late[tune], predict(model, rows.inputs[tune]))
        print(f'May log-loss {loss:.5f} after pass {number}', flush=True)
        worse_count = 0 if loss < best_loss else worse_count + 1
        if loss < best_loss:
            best, best_loss = copy.deepcopy(model), loss
        if worse_count == PATIENCE:
            break
    return best


def predict(model: FlightDelay, inputs: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        parts = [model(part) for part in torch.from_numpy(inputs).split(100_000)]
    return torch.cat(parts).squeeze(1).double().numpy()


def export(model: FlightDelay, width: int) -> None:
    MODEL_PATH.parent.mkdir(parents=True, exist_ok=True)
    program = torch.onnx.export(
        model.eval(),
        (torch.zeros(2, width),),
        dynamo=True,
        input_names=['features'],
        output_names=['late'],
        dynamic_shapes=({0: torch.export.Dim('rows')},),
        opset_version=18,
        verbose=False,
    )
    exported = program.model_proto
    # What the exporter notes for debugging names paths of the machine and is larger than the model.
    for node in exported.graph.node:
        del node.metadata_props[:]
        node.doc_string = ''
    for value in [*exported.graph.value_info, *exported.graph.input, *exported.graph.output]:
        del value.metadata_props[:]
    del exported.graph.metadata_props[:]
    del exported.metadata_props[:]
    exported.metadata_props.add(key='producer', value=f'train_mlp.py, PyTorch {torch.__version__}')
    onnx.checker.check_model(exported)
    onnx.save(exported, MODEL_PATH)


def record(model: FlightDelay, rows: FlightRows, chosen: np.ndarray) -> None:
    """What PyTorch itself says of some June flights, for the tests; NaN is null."""
    inputs = rows.inputs[chosen]
    cells = [[None if np.isnan(cell) else float(cell) for cell in row] for row in inputs]
    expected = {'names': rows.names, 'inputs': cells, 'late': predict(model, inputs).tolist()}
    EXPECTED_PATH.write_text(json.dumps(expected) + '\n')


if __name__ == '__main__':
    main()

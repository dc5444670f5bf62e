"""The peers of `bench/gbdt.mjs`: trains its models, and times lib_lightgbm and lleaves on them.

    gbdt.py FOLDER

Reads one JSON command a line from standard input and answers each with one JSON line:

  {"do": "open", "name", "trees", "leaves", "features", "rows"}
      trains the model unless FOLDER has it, writes FOLDER/NAME.{txt,f32,f64,raw32,raw64}: the model,
      `rows` rows of float32 and of float64, row by row, and LightGBM's raw scores of either.
  {"do": "time", "peer": "lightgbm" | "lleaves", "width": "f32" | "f64", "rows", "ms"}
      the CPU nanoseconds of one row, in calls of `rows` rows that go over all rows again and again for
      `ms`. lib_lightgbm is called through its C API, one thread; a single row by SingleRowFast.

Inputs are independent normals, so that no branch can be foreseen; thresholds are many and distinct.
"""

import ctypes
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import lightgbm as lgb  # noqa: E402
import lleaves  # noqa: E402
import numpy as np  # noqa: E402

LIB = lgb.basic._LIB
TRAIN_ROWS = 20_000
C_FLOAT32, C_FLOAT64, RAW_SCORE = 0, 1, 1
PARAMETERS = b"num_threads=1"


def train(path, spec):
    rng = np.random.default_rng(20010615)
    inputs = rng.normal(size=(TRAIN_ROWS, spec["features"]))
    weights = rng.normal(size=spec["features"])
    target = inputs @ weights + np.sin(3 * inputs[:, 0]) * inputs[:, 1] ** 2
    target += rng.normal(scale=2.0, size=TRAIN_ROWS)
    parameters = {
        "objective": "regression", "num_leaves": spec["leaves"], "learning_rate": 0.05,
        "min_data_in_leaf": 5, "max_bin": 1023, "feature_fraction": 0.5, "num_threads": 1,
        "deterministic": True, "seed": 7, "verbose": -1,
    }
    booster = lgb.train(parameters, lgb.Dataset(inputs, target), spec["trees"])
    booster.save_model(path)


def check(code):
    if code != 0:
        raise RuntimeError(LIB.LGBM_GetLastError())


class Opened:
    def __init__(self, folder, spec):
        name = f"{spec['name']}"
        model = folder / f"{name}.txt"
        if not model.exists():
            train(str(folder / f"{name}.partial"), spec)
            (folder / f"{name}.partial").rename(model)
        self.booster = lgb.Booster(model_file=str(model))
        self.compiled = lleaves.Model(model_file=str(model))
        self.compiled.compile(cache=str(folder / f"{name}.lleaves"))
        rng = np.random.default_rng(7)
        doubles = rng.normal(size=(spec["rows"], spec["features"]))
        self.rows = {"f32": doubles.astype(np.float32), "f64": doubles}
        for width, raw in (("f32", "raw32"), ("f64", "raw64")):
            self.rows[width].tofile(folder / f"{name}.{width}")
            scores = self.predict(self.rows[width])
            scores.tofile(folder / f"{name}.{raw}")

    def predict(self, rows):
        output = np.zeros(len(rows))
        step = self.lightgbm_step(rows, len(rows), output)
        step(0)
        return output

    def lightgbm_step(self, rows, row_count, output):
        feature_count = rows.shape[1]
        data_type = C_FLOAT32 if rows.dtype == np.float32 else C_FLOAT64
        starts = [ctypes.c_void_p(rows.ctypes.data + begin * rows.strides[0])
                  for begin in range(0, len(rows) - row_count + 1, row_count)]
        length = ctypes.c_int64(0)
        out = output.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
        handle = self.booster._handle
        arguments = (ctypes.c_int(data_type), ctypes.c_int32(row_count),
                     ctypes.c_int32(feature_count), ctypes.c_int(1), ctypes.c_int(RAW_SCORE),
                     ctypes.c_int(0), ctypes.c_int(-1), ctypes.c_char_p(PARAMETERS),
                     ctypes.byref(length), out)
        call = LIB.LGBM_BoosterPredictForMat

        def step(index):
            check(call(handle, starts[index], *arguments))

        step.count = len(starts)
        return step

    def lightgbm_single_step(self, rows):
        data_type = C_FLOAT32 if rows.dtype == np.float32 else C_FLOAT64
        fast = ctypes.c_void_p()
        check(LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
            self.booster._handle, ctypes.c_int(RAW_SCORE), ctypes.c_int(0), ctypes.c_int(-1),
            ctypes.c_int(data_type), ctypes.c_int32(rows.shape[1]), ctypes.c_char_p(PARAMETERS),
            ctypes.byref(fast)))
        starts = [ctypes.c_void_p(rows.ctypes.data + row * rows.strides[0])
                  for row in range(len(rows))]
        length = ctypes.c_int64(0)
        output = np.zeros(1)
        rest = (ctypes.byref(length), output.ctypes.data_as(ctypes.POINTER(ctypes.c_double)))
        call = LIB.LGBM_BoosterPredictForMatSingleRowFast

        def step(index):
            check(call(fast, starts[index], *rest))

        step.count = len(starts)
        step.kept = (fast, output)
        return step

    def lleaves_step(self, rows, row_count):
        chunks = [rows[begin:begin + row_count]
                  for begin in range(0, len(rows) - row_count + 1, row_count)]
        predict = self.compiled.predict

        def step(index):
            predict(chunks[index], n_jobs=1)

        step.count = len(chunks)
        return step

    def step(self, peer, width, row_count):
        rows = self.rows[width]
        if peer == "lleaves":
            return self.lleaves_step(rows, row_count)
        if row_count == 1:
            return self.lightgbm_single_step(rows)
        return self.lightgbm_step(rows, row_count, np.zeros(row_count))


def time_step(step, row_count, ms):
    """CPU nanoseconds a row. The first pass is not counted where there is time for another."""
    begin_wall = time.perf_counter()
    call_count = 0
    begin_cpu = time.process_time_ns()
    index = 0
    while call_count == 0 or time.perf_counter() - begin_wall < ms / 1000:
        for _ in range(8):
            step(index)
            index = (index + 1) % step.count
        call_count += 8
    return (time.process_time_ns() - begin_cpu) / (call_count * row_count)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    opened = None
    steps = {}
    for line in sys.stdin:
        command = json.loads(line)
        answer = {}
        if command["do"] == "open":
            opened = Opened(folder, command)
            steps = {}
        else:
            key = (command["peer"], command["width"], command["rows"])
            if key not in steps:
                steps[key] = opened.step(*key)
                for index in range(min(steps[key].count, 200)):
                    steps[key](index)
            answer["nsPerRow"] = time_step(steps[key], command["rows"], command["ms"])
        print(json.dumps(answer), flush=True)


main()

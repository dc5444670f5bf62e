"""Writes test/fixtures/flights/june-10000.parquet: LightGBM's own answers on 10,000 June flights.

Columns: the model's inputs by name (float32, null where missing), then `raw_score` and
`probability` (float64) of the committed model.
"""

import duckdb
import lightgbm as lgb
import numpy as np

from flight_rows import HERE, load_flight_rows

FIXTURE_PATH = HERE / '../../test/fixtures/flights/june-10000.parquet'
SEED = 10_000


def main() -> None:
    rows = load_flight_rows('2001-06-01', '2001-07-01')
    prng = np.random.default_rng(SEED)
    inputs = rows.inputs[np.sort(prng.choice(len(rows.inputs), 10_000, replace=False))]
    model = lgb.Booster(model_file=HERE / 'models/flight_delay/1/model.txt')
    columns = {
        **{name: np.ascontiguousarray(inputs[:, i]) for i, name in enumerate(rows.names)},
        'raw_score': model.predict(inputs, raw_score=True),
        'probability': model.predict(inputs),
    }
    selected = ', '.join(f'nullif("{name}", \'nan\') AS "{name}"' for name in columns)
    duckdb.execute(
        f"COPY (SELECT {selected} FROM columns) TO '{FIXTURE_PATH}'"
        ' (FORMAT parquet, COMPRESSION zstd)'
    )


if __name__ == '__main__':
    main()

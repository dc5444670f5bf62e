"""Flights beside the features of `flight_inputs` as they stood before each flight left.

The features come from the same SQL texts that build-features.mjs runs for the daemon, here at every
whole hour instead of one, so training and serving cannot drift apart. A flight sees the newest load
of each view at or before its departure; where that load has no row, or no value, it sees NaN.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import yaml

HERE = Path(__file__).parent
FLIGHTS_PATH = HERE / '../../node_modules/vega-datasets/data/flights-3m.parquet'
REQUEST_VALUES = {'hour_of_day': 'hour(date)', 'day_of_week': 'isodow(date)'}
# What float32 holds exactly: the model sees the very numbers that the store returns.
MODEL_TYPES = {'bool', 'int8', 'int16', 'float32'}


@dataclass(frozen=True)
class FlightRows:
    names: list[str]  # of the inputs, as the model names them
    inputs: np.ndarray  # float32 [flight][input], NaN where missing
    is_late: np.ndarray  # bool [flight]
    month: np.ndarray  # 1 to 6 [flight]


def load_flight_rows(since: str, until: str) -> FlightRows:
    """The flights with since <= date < until whose delay is plausible, in a fixed order."""
    connection = duckdb.connect(config={'threads': 2})
    connection.execute(f"CREATE VIEW raw_flights AS FROM '{FLIGHTS_PATH}'")
    connection.execute(read_sql('flights'))
    connection.execute(
        'CREATE TABLE instants AS SELECT unnest(generate_series('
        f"TIMESTAMP '{since}', TIMESTAMP '{until}' - INTERVAL 1 HOUR, INTERVAL 1 HOUR)) AS as_of"
    )
    definitions = read_definitions()
    for view in definitions['feature_views']:
        connection.execute(f'CREATE TABLE {view} AS {read_sql(view)}')
    names, joined_sql = join_sql(definitions)
    columns = connection.execute(joined_sql).fetchnumpy()
    return FlightRows(
        names=names,
        inputs=np.column_stack([columns[name] for name in names]),
        is_late=np.asarray(columns['is_late']),
        month=np.asarray(columns['month']),
    )


def join_sql(definitions: dict) -> tuple[list[str], str]:
    """The service's model inputs by name, and the query that puts them beside the flights."""
    inputs = {name: f'{sql}::FLOAT' for name, sql in REQUEST_VALUES.items()}
    joins = []
    for used in definitions['feature_services']['flight_inputs']['views']:
        view = definitions['feature_views'][used['view']]
        role = used.get('as', used['view'])
        keys = definitions['entities'][view['entity']]['keys']
        matches = [f'{role}.{key} = f.{used.get("keys", {}).get(key, key)}' for key in keys]
        joins.append(
            f'ASOF LEFT JOIN (SELECT DISTINCT as_of FROM {view["name"]}) AS {role}_load\n'
            f"  ON {role}_load.as_of <= date_trunc('hour', f.date)\n"
            f'LEFT JOIN {view["name"]} AS {role}\n'
            f'  ON {role}.as_of = {role}_load.as_of AND {" AND ".join(matches)}'
        )
        for feature in view['features']:
            if feature['type'] in MODEL_TYPES:
                inputs[f'{role}.{feature["name"]}'] = f'{role}.{feature["name"]}::FLOAT'
    selected = ',\n'.join(f"coalesce({sql}, 'nan') AS \"{name}\"" for name, sql in inputs.items())
    first, last = 'SELECT min(as_of) FROM instants', 'SELECT max(as_of) FROM instants'
    return list(inputs), (
        f'SELECT month(f.date) AS month, is_late(f.delay) AS is_late,\n{selected}\n'
        f'FROM (FROM flights WHERE is_plausible(delay)\n'
        f'  AND date >= ({first}) AND date < ({last}) + INTERVAL 1 HOUR) AS f\n'
        + '\n'.join(joins)
        + '\nORDER BY f.date, f.origin, f.destination, f.distance, f.delay'
    )


def read_sql(name: str) -> str:
    return (HERE / 'sql' / f'{name}.sql').read_text()


def read_definitions() -> dict[str, dict]:
    """The example's definitions: kind -> name -> definition, over all files of `features/`."""
    kinds = {'entities': {}, 'feature_views': {}, 'feature_services': {}}
    for path in sorted((HERE / 'features').glob('*.yaml')):
        for kind, definitions in yaml.safe_load(path.read_text()).items():
            kinds[kind] |= {definition['name']: definition for definition in definitions}
    return kinds

-- One row per route and instant: the last 24 hours, as known at that instant.
-- Reads flights (flights.sql) and instants(as_of), whole hours.
WITH
horizon AS (SELECT min(as_of) - INTERVAL 24 HOUR AS since, max(as_of) AS until FROM instants),
departed AS (
  SELECT origin, destination, departed_hour AS hour, count(*) AS departures
  FROM flights, horizon
  WHERE departed_hour > since AND departed_hour <= until
  GROUP BY ALL
),
outcomes AS (
  SELECT origin, destination, known_hour AS hour,
    count(*) AS outcomes, sum(delay) AS delay_sum, count_if(is_late(delay)) AS late,
    arg_max(delay, (known_from, date, delay)) AS last_delay
  FROM flights, horizon
  WHERE known_hour > since AND known_hour <= until AND is_plausible(delay)
  GROUP BY ALL
),
facts AS (FROM departed UNION ALL BY NAME FROM outcomes),
routes AS (SELECT DISTINCT origin, destination FROM facts),
-- Instants are laid among the facts, so that a window ending at an instant sees what is before it.
timeline AS (
  SELECT *, false AS is_instant FROM facts
  UNION ALL BY NAME
  SELECT origin, destination, as_of AS hour, true AS is_instant FROM routes, instants
),
windowed AS (
  SELECT origin, destination, hour AS as_of, is_instant,
    sum(departures) OVER last_24h AS departures,
    sum(outcomes) OVER last_24h AS outcomes,
    sum(delay_sum) OVER last_24h AS delay_sum,
    sum(late) OVER last_24h AS late,
    last_value(last_delay IGNORE NULLS) OVER last_24h AS last_delay
  FROM timeline
  WINDOW last_24h AS (PARTITION BY origin, destination ORDER BY hour
    RANGE BETWEEN INTERVAL 23 HOUR PRECEDING AND CURRENT ROW)
)
SELECT origin, destination, as_of,
  coalesce(departures, 0)::SMALLINT AS departures_24h,
  (delay_sum / outcomes)::FLOAT AS delay_mean_24h,
  (late / outcomes)::FLOAT AS late_share_24h,
  last_delay::SMALLINT AS last_delay
FROM windowed
WHERE is_instant AND coalesce(departures, outcomes) > 0
ORDER BY as_of, origin, destination

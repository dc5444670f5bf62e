-- One row per airport and instant: the last hours, as known at that instant.
-- Reads flights (flights.sql) and instants(as_of), whole hours.
WITH
horizon AS (SELECT min(as_of) - INTERVAL 24 HOUR AS since, max(as_of) AS until FROM instants),
departed AS (
  SELECT origin AS airport, departed_hour AS hour,
    count(*) AS departures, max(date) AS last_departure
  FROM flights, horizon
  WHERE departed_hour > since AND departed_hour <= until
  GROUP BY ALL
),
outbound AS (
  SELECT origin AS airport, known_hour AS hour,
    count(*) AS outcomes, sum(delay) AS delay_sum, count_if(is_late(delay)) AS late
  FROM flights, horizon
  WHERE known_hour > since AND known_hour <= until AND is_plausible(delay)
  GROUP BY ALL
),
inbound AS (
  SELECT destination AS airport, known_hour AS hour,
    count(*) AS inbound_outcomes, sum(delay) AS inbound_delay_sum,
    count_if(is_late(delay)) AS inbound_late
  FROM flights, horizon
  WHERE known_hour > since AND known_hour <= until AND is_plausible(delay)
  GROUP BY ALL
),
-- A flight that is due and not known yet is seen to be overdue, for at most 12 hours.
overdue_flights AS (
  SELECT origin, destination, unnest(generate_series(
    due_hour,
    least(known_hour - INTERVAL 1 HOUR, due_hour + INTERVAL 11 HOUR),
    INTERVAL 1 HOUR)) AS hour
  FROM flights, horizon
  WHERE known_hour > due_hour AND due_hour > since AND due_hour <= until
),
outbound_overdue AS (
  SELECT origin AS airport, hour, count(*) AS outbound_overdue
  FROM overdue_flights GROUP BY ALL
),
inbound_overdue AS (
  SELECT destination AS airport, hour, count(*) AS inbound_overdue
  FROM overdue_flights GROUP BY ALL
),
facts AS (
  FROM departed
  UNION ALL BY NAME FROM outbound
  UNION ALL BY NAME FROM inbound
  UNION ALL BY NAME FROM outbound_overdue
  UNION ALL BY NAME FROM inbound_overdue
),
airports AS (SELECT DISTINCT airport FROM facts),
-- Instants are laid among the facts, so that a window ending at an instant sees what is before it.
timeline AS (
  SELECT *, false AS is_instant FROM facts
  UNION ALL BY NAME
  SELECT airport, as_of AS hour, true AS is_instant FROM airports, instants
),
windowed AS (
  SELECT airport, hour AS as_of, is_instant,
    sum(departures) OVER last_1h AS departures_1h,
    sum(departures) OVER last_24h AS departures_24h,
    sum(outcomes) OVER last_3h AS outcomes_3h,
    sum(delay_sum) OVER last_3h AS delay_sum_3h,
    sum(late) OVER last_3h AS late_3h,
    sum(outcomes) OVER last_24h AS outcomes_24h,
    sum(delay_sum) OVER last_24h AS delay_sum_24h,
    sum(late) OVER last_24h AS late_24h,
    sum(inbound_outcomes) OVER last_3h AS inbound_outcomes_3h,
    sum(inbound_delay_sum) OVER last_3h AS inbound_delay_sum_3h,
    sum(inbound_late) OVER last_3h AS inbound_late_3h,
    sum(outbound_overdue) OVER last_1h AS outbound_overdue,
    sum(inbound_overdue) OVER last_1h AS inbound_overdue,
    max(last_departure) OVER last_24h AS last_departure
  FROM timeline
  WINDOW
    last_1h AS (PARTITION BY airport ORDER BY hour RANGE BETWEEN CURRENT ROW AND CURRENT ROW),
    last_3h AS (PARTITION BY airport ORDER BY hour
      RANGE BETWEEN INTERVAL 2 HOUR PRECEDING AND CURRENT ROW),
    last_24h AS (PARTITION BY airport ORDER BY hour
      RANGE BETWEEN INTERVAL 23 HOUR PRECEDING AND CURRENT ROW)
)
SELECT airport, as_of,
  coalesce(departures_1h, 0)::SMALLINT AS departures_1h,
  coalesce(departures_24h, 0)::SMALLINT AS departures_24h,
  (delay_sum_3h / outcomes_3h)::FLOAT AS delay_mean_3h,
  (late_3h / outcomes_3h)::FLOAT AS late_share_3h,
  (delay_sum_24h / outcomes_24h)::FLOAT AS delay_mean_24h,
  (late_24h / outcomes_24h)::FLOAT AS late_share_24h,
  (inbound_delay_sum_3h / inbound_outcomes_3h)::FLOAT AS inbound_delay_mean_3h,
  (inbound_late_3h / inbound_outcomes_3h)::FLOAT AS inbound_late_share_3h,
  coalesce(outbound_overdue, 0)::SMALLINT AS outbound_overdue,
  coalesce(inbound_overdue, 0)::SMALLINT AS inbound_overdue,
  coalesce(outcomes_3h >= 5 AND late_3h * 2 >= outcomes_3h, false) AS disrupted,
  last_departure
FROM windowed
WHERE is_instant AND departures_24h > 0
ORDER BY as_of, airport

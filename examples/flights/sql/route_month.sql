-- One row per route and day, computed at midnight: the last 28 days.
-- Reads flights (flights.sql) and instants(as_of), whole hours; an instant stands for its midnight.
WITH
midnights AS (SELECT DISTINCT date_trunc('day', as_of) AS as_of FROM instants),
horizon AS (SELECT min(as_of) - INTERVAL 28 DAY AS since, max(as_of) AS until FROM midnights),
-- day: the first midnight at which the fact is known.
departed AS (
  SELECT origin, destination, date_trunc('day', departed_hour + INTERVAL 23 HOUR) AS day,
    count(*) AS departures, any_value(distance) AS distance
  FROM flights, horizon
  WHERE departed_hour > since AND departed_hour <= until
  GROUP BY ALL
),
outcomes AS (
  SELECT origin, destination, delay, isodow(date) AS day_of_week,
    date_trunc('day', known_hour + INTERVAL 23 HOUR) AS day
  FROM flights, horizon
  WHERE known_hour > since AND known_hour <= until AND is_plausible(delay)
),
departure_totals AS (
  SELECT origin, destination, as_of, sum(departures) AS departures, max(distance) AS distance
  FROM departed JOIN midnights ON day <= as_of AND day > as_of - INTERVAL 28 DAY
  GROUP BY ALL
),
outcome_totals AS (
  SELECT origin, destination, as_of, avg(delay) AS delay_mean,
    count_if(is_late(delay)) / count(*) AS late_share,
    quantile_cont(delay, [0.5, 0.9]) AS delay_quantiles
  FROM outcomes JOIN midnights ON day <= as_of AND day > as_of - INTERVAL 28 DAY
  GROUP BY ALL
),
weekdays AS (SELECT unnest(range(1, 8)) AS day_of_week),
outcomes_daily AS (
  SELECT origin, destination, day, day_of_week,
    count(*) AS outcomes, count_if(is_late(delay)) AS late
  FROM outcomes GROUP BY ALL
),
by_weekday AS (
  SELECT origin, destination, as_of, day_of_week, sum(outcomes) AS outcomes, sum(late) AS late
  FROM outcomes_daily JOIN midnights ON day <= as_of AND day > as_of - INTERVAL 28 DAY
  GROUP BY ALL
),
profiles AS (
  SELECT origin, destination, as_of,
    -- A list holds no nulls: a weekday without outcomes is NaN.
    list(coalesce(late / outcomes, 'nan')::FLOAT ORDER BY day_of_week) AS late_share_by_weekday
  FROM (SELECT origin, destination, as_of FROM departure_totals) CROSS JOIN weekdays
    LEFT JOIN by_weekday USING (origin, destination, as_of, day_of_week)
  GROUP BY ALL
)
SELECT origin, destination, as_of,
  distance::SMALLINT AS distance,
  departures::SMALLINT AS departures_28d,
  delay_mean::FLOAT AS delay_mean_28d,
  late_share::FLOAT AS late_share_28d,
  delay_quantiles[1]::FLOAT AS delay_p50_28d,
  delay_quantiles[2]::FLOAT AS delay_p90_28d,
  late_share_by_weekday
FROM departure_totals
  LEFT JOIN outcome_totals USING (origin, destination, as_of)
  JOIN profiles USING (origin, destination, as_of)
ORDER BY as_of, origin, destination

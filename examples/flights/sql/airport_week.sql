-- One row per airport and day, computed at midnight: the last 7 days, and 28 for profiles by hour.
-- Reads flights (flights.sql) and instants(as_of), whole hours; an instant stands for its midnight.
WITH
midnights AS (SELECT DISTINCT date_trunc('day', as_of) AS as_of FROM instants),
horizon AS (SELECT min(as_of) - INTERVAL 28 DAY AS since, max(as_of) AS until FROM midnights),
-- day: the first midnight at which the fact is known.
departed AS (
  SELECT origin AS airport, destination, hour(date) AS hour_of_day,
    date_trunc('day', departed_hour + INTERVAL 23 HOUR) AS day
  FROM flights, horizon
  WHERE departed_hour > since AND departed_hour <= until
),
outcomes AS (
  SELECT origin AS airport, hour(date) AS hour_of_day, delay,
    date_trunc('day', known_hour + INTERVAL 23 HOUR) AS day
  FROM flights, horizon
  WHERE known_hour > since AND known_hour <= until AND is_plausible(delay)
),
-- Each day counts in the windows of the 7 midnights from it on.
by_destination AS (
  SELECT airport, destination, as_of, count(*) AS departures
  FROM departed JOIN midnights ON day <= as_of AND day > as_of - INTERVAL 7 DAY
  GROUP BY ALL
),
departure_totals AS (
  SELECT airport, as_of, sum(departures) AS departures, count(*) AS destinations,
    arg_min(destination, (-departures, destination)) AS busiest_destination
  FROM by_destination GROUP BY ALL
),
outcome_totals AS (
  SELECT airport, as_of, avg(delay) AS delay_mean,
    count_if(is_late(delay)) / count(*) AS late_share,
    quantile_cont(delay, [0.5, 0.9]) AS delay_quantiles
  FROM outcomes JOIN midnights ON day <= as_of AND day > as_of - INTERVAL 7 DAY
  GROUP BY ALL
),
hours AS (SELECT unnest(range(24)) AS hour_of_day),
departed_hourly AS (
  SELECT airport, day, hour_of_day, count(*) AS departures FROM departed GROUP BY ALL
),
outcomes_hourly AS (
  SELECT airport, day, hour_of_day, count(*) AS outcomes, count_if(is_late(delay)) AS late
  FROM outcomes GROUP BY ALL
),
hourly_facts AS (FROM departed_hourly UNION ALL BY NAME FROM outcomes_hourly),
hourly AS (
  SELECT airport, as_of, hour_of_day,
    sum(departures) AS departures, sum(outcomes) AS outcomes, sum(late) AS late
  FROM hourly_facts JOIN midnights ON day <= as_of AND day > as_of - INTERVAL 28 DAY
  GROUP BY ALL
),
profiles AS (
  SELECT airport, as_of,
    list(coalesce(departures, 0)::INTEGER ORDER BY hour_of_day) AS departures_by_hour,
    -- A list holds no nulls: an hour without outcomes is NaN.
    list(coalesce(late / outcomes, 'nan')::FLOAT ORDER BY hour_of_day) AS late_share_by_hour
  FROM (SELECT airport, as_of FROM departure_totals) CROSS JOIN hours
    LEFT JOIN hourly USING (airport, as_of, hour_of_day)
  GROUP BY ALL
)
SELECT airport, as_of,
  departures::SMALLINT AS departures_7d,
  delay_mean::FLOAT AS delay_mean_7d,
  late_share::FLOAT AS late_share_7d,
  delay_quantiles[1]::FLOAT AS delay_p50_7d,
  delay_quantiles[2]::FLOAT AS delay_p90_7d,
  destinations::SMALLINT AS destinations_7d,
  busiest_destination,
  departures_by_hour,
  late_share_by_hour
FROM departure_totals
  LEFT JOIN outcome_totals USING (airport, as_of)
  JOIN profiles USING (airport, as_of)
ORDER BY as_of, airport

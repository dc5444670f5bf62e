-- Every flight with the instants at which its facts become known. Every view's SQL reads `flights`.
--
-- Needs a relation `raw_flights(date, delay, distance, origin, destination)`: the original file.
--
-- The data does not say when an outcome became known, so that is estimated:
--   due_at      when a punctual flight's outcome would be known: 400 mph (9 s a mile) and an hour
--   known_from  when this flight's outcome is known: its lateness after that
-- `date` behaves like the actual departure, so a departure is known at `date` itself.
--
-- The *_hour columns round up to a whole hour. For an instant T on a whole hour, `x_hour <= T` says
-- exactly what `x <= T` says, which lets the views add up hours instead of flights.

CREATE OR REPLACE MACRO hour_from(t) AS date_trunc('hour', t + INTERVAL 3599 SECOND);

-- A delay below -60 minutes is taken as a data error: the flight did depart, but its outcome counts
-- nowhere.
CREATE OR REPLACE MACRO is_plausible(delay) AS delay >= -60;

CREATE OR REPLACE MACRO is_late(delay) AS delay > 15;

CREATE OR REPLACE TABLE flights AS
WITH timed AS (
  SELECT *,
    date + to_seconds(distance * 9 + 3600) AS due_at,
    date + to_seconds(distance * 9 + 3600 + greatest(delay, 0) * 60) AS known_from
  FROM raw_flights
)
SELECT *,
  hour_from(date) AS departed_hour,
  hour_from(due_at) AS due_hour,
  hour_from(known_from) AS known_hour
FROM timed;

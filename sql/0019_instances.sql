-- Where each running instance can be asked for its state. `chatd check` reads it.
--
-- A row is valid only while workers.holder is the same: a version before this one takes a WORKER_ID
-- without writing here.
CREATE TABLE instances (
    worker_id   smallint PRIMARY KEY,
    holder      text NOT NULL,
    host        text NOT NULL,
    version     text NOT NULL,
    url         text NOT NULL,  -- of its API, with the host as it listens: it may be loopback
    metrics_url text            -- NULL when METRICS_PORT is not set
);

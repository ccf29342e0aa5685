-- Leases of WORKER_IDs: how long the holder of an id may make ids without renewing the lease.
--
-- The advisory lock alone is not enough: Postgres frees it when the connection that holds it ends,
-- which an instance that is cut off notices later. The next holder waits for the end of the lease.

ALTER TABLE workers
    ADD COLUMN leased_until timestamptz,  -- NULL when it was given up, or by an earlier version
    ADD COLUMN process text NOT NULL DEFAULT '';  -- of the holder, to find out that it has ended

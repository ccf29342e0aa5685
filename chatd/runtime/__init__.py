"""Process runtime: service manager, garbage collector, lease of the WORKER_ID."""

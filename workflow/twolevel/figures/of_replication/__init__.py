"""The figures of a replication study, one module each."""

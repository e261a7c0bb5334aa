"""What the page of a replication study says: numbers of subjects, the design, the methods."""

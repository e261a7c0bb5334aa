"""What the workflow's rules and scripts share: config, tables, files, jobs, tracked code."""

"""The config: its models, its checks and its edits."""

"""Replicated experiments: drawn, fitted in batches, and judged."""

"""The walk from one subject to the mixed model: its stages, its checks, its witnesses."""

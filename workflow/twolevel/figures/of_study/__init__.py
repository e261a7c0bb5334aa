"""The figures of one study, one module each."""

"""The whole of a sandbox at one moment: kept, compared, put back, and written to a file."""

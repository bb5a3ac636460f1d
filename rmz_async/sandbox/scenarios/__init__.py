"""Stories in TOML that a sandbox plays step by step, with a report for CI."""

"""Ways to reach a sandbox: in process, or on a port."""

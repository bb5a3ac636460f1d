"""RMZ in a web framework: one public module for each, and an extra of the same name."""

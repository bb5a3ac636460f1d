"""Everything that time brings."""

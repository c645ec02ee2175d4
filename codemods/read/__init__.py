"""Files to flows."""

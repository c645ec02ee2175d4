"""What library calls do to memory: tables and their loader."""

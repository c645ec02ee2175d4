"""Between deciding and writing: which findings count, which rewrites are wanted, and where they go."""

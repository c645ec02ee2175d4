"""Many checkouts at once: what a manifest asks for, one process an entry, and a summary of all of them."""

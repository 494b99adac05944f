"""Which sweep comes next, and what its outcome is good for."""

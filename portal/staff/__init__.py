"""A clinic's staff: who they are, what they may do, and how they get in."""

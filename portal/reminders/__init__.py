"""What a clinic's staff must not forget."""

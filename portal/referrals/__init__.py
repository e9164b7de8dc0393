"""Where a clinic's patients come from."""

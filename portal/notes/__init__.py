"""What a clinic's staff write down about patients and offers."""

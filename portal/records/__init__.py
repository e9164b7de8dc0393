"""A patient's medical record, sealed at rest, and the files kept of her."""

"""The first page after login: what is due and what is new."""

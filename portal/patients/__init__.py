"""Patients of a clinic: registering, finding, editing and archiving them."""

"""Clinikoop: a portal where dental clinics win patients with treatment offers."""

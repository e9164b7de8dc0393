"""Tickets that clinics open and the platform's agents answer."""

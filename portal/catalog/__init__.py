"""Treatments a clinic offers: categories, catalogue, price lists and VAT rules."""

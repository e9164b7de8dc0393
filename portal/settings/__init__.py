"""What a clinic may set about itself, and the templates it owns."""

"""Schema evolution, seeds and health: what the people who run the platform use."""

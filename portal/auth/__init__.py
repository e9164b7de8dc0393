"""Who may come in: staff of a clinic and people of the platform, their sessions and passwords."""

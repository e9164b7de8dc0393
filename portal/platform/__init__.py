"""The platform's own house: the admin host, its clinics and its logs."""

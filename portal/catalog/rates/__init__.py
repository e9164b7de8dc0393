"""Exchange rates: the central bank's bulletins, read, stored once for all clinics, and counted with exactly."""

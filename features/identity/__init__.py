"""Identity: who this is over time."""

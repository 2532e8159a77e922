"""Features measured in memory: what a plan says in SQL, over rows sorted once by application and time."""

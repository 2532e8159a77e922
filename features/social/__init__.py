"""Social: how many people, how evenly, how mutually, how steadily."""

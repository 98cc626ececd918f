"""The simulator: plays the agencies with a seeded population and writes the truth beside."""

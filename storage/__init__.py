"""What Lamplighter remembers: one SQLite file. Imports nothing of ours."""

"""What the database role of web, workers and beat may do: granted by `manage.py prepare_database`, judged at start."""

TRAIL = "updater_auditevent"

"""Redis, Celery and worker processes as they really are."""

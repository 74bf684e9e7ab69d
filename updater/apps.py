from django.apps import AppConfig


class UpdaterConfig(AppConfig):
    name = "updater"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from updater import checks  # noqa: F401, PLC0415  checks need the app registry

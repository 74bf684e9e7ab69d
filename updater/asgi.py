"""The ASGI application for uvicorn; it refuses to start with a database role that could change the audit trail."""

import os

from django.core.asgi import get_asgi_application

from updater.database_role import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "updater.settings")
application = get_asgi_application()
starting.refuse_unfit_role()

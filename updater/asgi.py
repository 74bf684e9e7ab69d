"""The ASGI application for uvicorn; it refuses to start with a database role that could change the audit trail.

Everything is loaded before the first request. What is loaded stays: the garbage collector is told so, else each of its
full turns looks through all of it and holds up the page it falls into.
"""

import gc
import os

from django.core.asgi import get_asgi_application
from django.urls import get_resolver

from updater.database_role import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "updater.settings")
application = get_asgi_application()
starting.refuse_unfit_role()
get_resolver().url_patterns  # noqa: B018  asking for them loads every view
gc.collect()
gc.freeze()

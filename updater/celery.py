"""The Celery application, its two queues, and which queue each task goes to.

`scan` reads the outside world; `execute` writes to it. Separate workers, so scans never delay a promotion.
"""

import gc
import importlib
import os

from celery import Celery
from celery.signals import beat_init, worker_init

from updater.database_role import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "updater.settings")

QUEUES = ("scan", "execute")

app = Celery("countersign")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["updater", "approvals"])


@worker_init.connect
@beat_init.connect
def judge_database_role(**_: object) -> None:
    """Refuse to start with a database role that could change the audit trail."""
    starting.refuse_unfit_role()


@worker_init.connect
def load_clients(**_: object) -> None:
    """Load the clients before the worker forks: the first promotion must not wait for an import.

    What is loaded stays, so the garbage collector need not look through it at each full turn.
    """
    importlib.import_module("updater.integrations.kubernetes.client")
    gc.freeze()

"""The Celery application, its two queues, and which queue each task goes to.

`scan` reads the outside world; `execute` writes to it. Separate workers, so scans never delay a promotion.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "updater.settings")

QUEUES = ("scan", "execute")

app = Celery("countersign")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["updater", "approvals"])

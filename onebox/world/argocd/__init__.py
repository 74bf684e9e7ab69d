"""The demo's Argo CD: a controller that behaves as the real one does, towards the API and towards Git.

Reads Applications over the Kubernetes API, renders what Git holds, lets pretend pods roll over, and writes
status, history, conditions and events in the order and with the traps of `argo-cd.md` sections 2 to 8.
"""

from onebox.world.argocd.assembly import build
from onebox.world.argocd.controller import Controller
from onebox.world.argocd.image_facts import DEGRADED_LABEL, ImageFact, runs_always
from onebox.world.argocd.settings import NEWER, OLDER, Settings

__all__ = [
    "DEGRADED_LABEL",
    "NEWER",
    "OLDER",
    "Controller",
    "ImageFact",
    "Settings",
    "build",
    "runs_always",
]

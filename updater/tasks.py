"""The machine's work as Celery tasks: read the cluster, scan the registries."""

import logging

from celery import shared_task
from django.conf import settings

from updater import clock, inventory, leases, scanning, turns
from updater.audit import Actor
from updater.connections import Connections
from updater.errors import TransientError
from updater.inventory import Reading
from updater.leases import Grant

logger = logging.getLogger(__name__)

WORKER = Actor(name="countersign", via="worker")
WATCH_MARGIN_SECONDS = 2  # the watch ends before beat's next listing is due
WATCH_SECONDS = min(600, max(1, settings.INVENTORY_SECONDS - WATCH_MARGIN_SECONDS))
LISTING_SECONDS = 180  # to list and take in; what was not reached is taken in the next time
# A lease is as long as its task's hard limit: a live worker never loses it, a stopped one blocks nobody for longer.
INVENTORY, INVENTORY_LIMIT = "inventory", LISTING_SECONDS + WATCH_SECONDS + 30
# Scans begin nothing after four minutes, and a repository gets two at most (scanning.Tuning).
SCANNING, SCANNING_LIMIT = "scan registries", 450


@shared_task(
    name="updater.reconcile_inventory",
    soft_time_limit=INVENTORY_LIMIT - 30,
    time_limit=INVENTORY_LIMIT,
)
@leases.alone(INVENTORY, seconds=INVENTORY_LIMIT)
def reconcile_inventory(_: Grant) -> None:
    """List all Applications, then follow their changes until the next listing is due."""
    if not turns.take(INVENTORY, every_seconds=settings.INVENTORY_SECONDS):
        return
    world = Connections()
    how = _how_to_read(world)
    listing = world.cluster.list_applications(settings.WATCH_NAMESPACES)
    inventory.reconcile(listing, how=how, by=WORKER, at=clock.now())
    _follow(world, listing.resource_version, how=how)


@shared_task(
    name="updater.scan_registries",
    soft_time_limit=SCANNING_LIMIT - 30,
    time_limit=SCANNING_LIMIT,
)
@leases.alone(SCANNING, seconds=SCANNING_LIMIT)
def scan_registries(_: Grant) -> None:
    """Scan the image repositories that are due."""
    if not turns.take(SCANNING, every_seconds=settings.SCAN_LOOK_SECONDS):
        return
    world = Connections()
    scanning.scan_due(
        endpoints=world.registries,
        credentials_for=world.registry_credentials,
        at=clock.now(),
        by=WORKER,
    )


def _how_to_read(world: Connections) -> Reading:
    namespaces = settings.WATCH_NAMESPACES or [""]
    resources = [item for namespace in namespaces for item in world.image_updaters(namespace)]
    return Reading(
        cluster=settings.CLUSTER_NAME,
        argocd_namespace=settings.ARGOCD_NAMESPACE,
        image_updaters=resources,
        sync_windows=world.sync_windows(),
        source_repositories=world.source_repositories(),
        allow_http=settings.ALLOW_INSECURE_GIT,
    )


def _follow(world: Connections, resource_version: str, *, how: Reading) -> None:
    """Take in changes as they happen; with several namespaces there is no one watch, and listings do."""
    if len(settings.WATCH_NAMESPACES) > 1:
        return
    namespace = "".join(settings.WATCH_NAMESPACES)
    events = world.cluster.watch_applications(
        resource_version, seconds=WATCH_SECONDS, namespace=namespace
    )
    try:
        for event in events:
            inventory.follow(event.kind, event.manifest, how=how, by=WORKER, at=clock.now())
    except TransientError as error:
        logger.info("watch ended early; the next listing starts anew", extra={"reason": str(error)})

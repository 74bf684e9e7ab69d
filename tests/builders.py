"""Small builders of rows with sensible defaults; every argument may be given by name.

They write rows and nothing else: no audit, no lifecycle. Times default to now.
"""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone

from approvals import policy, sealing
from approvals.models import (
    Comment,
    Decision,
    Execution,
    ExecutionStep,
    Hold,
    PolicyVersion,
    Promotion,
    Review,
)
from updater import audit
from updater.audit import Actor, AuditKind
from updater.configuration import store
from updater.configuration.model import ImageConfiguration, Strategy
from updater.images import ImageReference
from updater.models import (
    Application,
    AuditEvent,
    Breaker,
    Candidate,
    ImageManifest,
    ImageRepository,
    ImageTag,
    Registry,
    TrackedImage,
)

# An id that no promotion has, the same in every process: parallel test runs compare the names of tests.
NO_PROMOTION = "0c6d5b3c-53f4-4b1e-9a33-4a1d6d1f0f5e"
PASSWORD = "correct horse battery staple"
_numbers = count(1)


def digest(word: str | int = "a") -> str:
    """Return a well-formed digest that is the same for the same word."""
    return "sha256:" + sealing.seal({"digest of": word})


def make_person(username: str = "", *, role: str | None = None, full_name: str = "") -> User:
    """Make a local account, in the group of the role."""
    first, _, last = full_name.partition(" ")
    person = User(username=username or f"person-{next(_numbers)}", first_name=first, last_name=last)
    person.set_password(PASSWORD)
    person.save()
    if role is not None:
        person.groups.add(Group.objects.get_or_create(name=role)[0])
    return person


def make_application(name: str = "", **changes: Any) -> Application:
    """Make a managed, healthy Application that writes to Git."""
    name = name or f"application-{next(_numbers)}"
    now = timezone.now()
    values: dict[str, Any] = {
        "cluster": "in-cluster",
        "namespace": "argocd",
        "uid": f"uid-{next(_numbers)}",
        "project": "storefront",
        "manifest": {"spec": {"syncPolicy": {"automated": {}}}},
        "is_managed": True,
        "source_type": "Helm",
        "sync_status": "Synced",
        "health_status": "Healthy",
        "revision": "5d20c9e" + "0" * 33,
        "write_back": {
            "method": "git",
            "repository": "https://git.example.com/shop/deploy.git",
            "base_branch": "main",
            "write_branch": "",
            "target": {"kind": "argocd-source", "path": f".argocd-source-{name}.yaml"},
        },
        "first_seen_at": now,
        "seen_at": now,
    }
    return Application.objects.create(name=name, **{**values, **changes})


def make_registry(host: str = "registry.example.com", **changes: Any) -> Registry:
    """Make a registry, or return the one of this host."""
    return Registry.objects.get_or_create(host=host, defaults=changes)[0]


def make_image_repository(name: str = "", **changes: Any) -> ImageRepository:
    """Make an image repository that was just scanned."""
    now = timezone.now()
    values: dict[str, Any] = {
        "registry": changes.pop("registry", None) or make_registry(),
        "scanned_at": now,
        "next_scan_at": now + timedelta(seconds=120),
        "is_complete": True,
        "tag_count": 2,
    }
    name = name or f"shop/image-{next(_numbers)}"
    return ImageRepository.objects.create(name=name, **{**values, **changes})


def make_tracked_image(
    application: Application | None = None, alias: str = "web", **changes: Any
) -> TrackedImage:
    """Make an image of an Application that takes the newest build of main."""
    repository = changes.pop("image_repository", None) or make_image_repository()
    values: dict[str, Any] = {
        "configuration": make_configuration(alias, repository),
        "is_live": True,
        "live_tag": "main-9c07d1a",
        "live_digest": digest("main-9c07d1a"),
        "choice": {"chosen": "", "error": "", "reason": "", "at": timezone.now().isoformat()},
    }
    return TrackedImage.objects.create(
        application=application or make_application(),
        alias=alias,
        image_repository=repository,
        **{**values, **changes},
    )


def make_configuration(alias: str, repository: ImageRepository) -> dict[str, Any]:
    """Return the stored configuration of an image, as the inventory writes it."""
    configuration = ImageConfiguration(
        alias=alias,
        reference=ImageReference(repository.registry.host, repository.name),
        strategy=Strategy("newest-build"),
        allow_tags="regexp:^main-[0-9a-f]{7}$",
    )
    return store.to_json(configuration)


def make_manifest(repository: ImageRepository, word: str, **changes: Any) -> ImageManifest:
    """Make a manifest for linux/amd64 and arm64 with source and revision labels."""
    now = timezone.now()
    created = changes.pop("created", now - timedelta(hours=3))
    platforms = [
        {"platform": name, "digest": digest(word + name), "created": str(created), "labels": {}}
        for name in ("linux/amd64", "linux/arm64")
    ]
    values: dict[str, Any] = {
        "digest": digest(word),
        "media_type": "application/vnd.oci.image.index.v1+json",
        "created": created,
        "platforms": platforms,
        "labels": {
            "org.opencontainers.image.source": f"https://git.example.com/{repository.name}",
            "org.opencontainers.image.revision": sealing.seal({"revision": word})[:40],
        },
        "size_bytes": 88_300_000,
        "fetched_at": now,
    }
    return ImageManifest.objects.create(image_repository=repository, **{**values, **changes})


def make_tag(repository: ImageRepository, name: str, **changes: Any) -> ImageTag:
    """Make a tag as the last scan saw it; its digest comes from its name."""
    now = timezone.now()
    values = {"digest": digest(name), "digest_seen_at": now, "first_seen_at": now}
    return ImageTag.objects.create(image_repository=repository, name=name, **{**values, **changes})


def make_candidate(
    tracked_image: TrackedImage | None = None, tag: str = "main-e1f492f", **changes: Any
) -> Candidate:
    """Make the current candidate of an image, with its tag and manifest as scanned."""
    tracked_image = tracked_image or make_tracked_image()
    repository = tracked_image.image_repository
    assert repository is not None
    if "manifest" not in changes:
        changes["manifest"] = make_manifest(repository, tag)
        make_tag(repository, tag)
    Candidate.objects.filter(tracked_image=tracked_image, is_current=True).update(is_current=False)
    values: dict[str, Any] = {
        "digest": digest(tag),
        "reason": "newest build that matches ^main-[0-9a-f]{7}$",
        "found_at": timezone.now(),
    }
    return Candidate.objects.create(tracked_image=tracked_image, tag=tag, **{**values, **changes})


def make_plan(application: Application, alias: str, old: str, new: str) -> dict[str, Any]:
    """Return a stored plan: one parameter of the override file changes."""
    path = f".argocd-source-{application.name}.yaml"
    text = "helm:\n  parameters:\n  - name: {0}.tag\n    value: {1}\n    forcestring: true\n"
    return {
        "method": "git",
        "repository": application.write_back.get("repository", ""),
        "base_branch": "main",
        "branch": "main",
        "base_commit": "5d20c9e" + "0" * 33,
        "message": f"build: automatic update of {application.name}\n",
        "files": [
            {"path": path, "before": text.format(alias, old), "after": text.format(alias, new)}
        ],
        "edits": [{"key": f"{alias}.tag", "old": old, "new": new, "image": alias}],
        "warnings": [],
        "pin": "tag",
        "at": timezone.now().isoformat(),
    }


_NEEDS_APPROVAL = {
    "APPROVED",
    "EXECUTING",
    "VERIFYING",
    "SUCCEEDED",
    "FAILED",
    "ERRORED",
    "UNKNOWN",
}
_OVER = {"SUCCEEDED", "FAILED", "REJECTED", "EXPIRED", "SUPERSEDED", "WITHDRAWN", "ABORTED"}


def _asked_for(candidate: Candidate, kind: str) -> dict[str, Any]:
    """Return what a promotion of this kind cannot be without."""
    if kind not in (Promotion.Kind.ROLLBACK, Promotion.Kind.CHOSEN):
        return {}
    asked: dict[str, Any] = {"requested_by": "somebody", "request_reason": "the new one is slow"}
    if kind == Promotion.Kind.ROLLBACK:
        asked["returns_to"] = make_promotion(candidate, status="SUCCEEDED")
    return asked


def make_promotion(candidate: Candidate | None = None, **changes: Any) -> Promotion:
    """Make a promotion of a candidate, sealed as the product seals; PENDING unless told otherwise."""
    candidate = candidate or make_candidate()
    image, now = candidate.tracked_image, timezone.now()
    values: dict[str, Any] = {
        "status": "PENDING",
        "status_at": now,
        "from_tag": image.live_tag,
        "from_digest": image.live_digest,
        "created_at": now,
        "expires_at": now + timedelta(days=7),
        "plan": make_plan(image.application, image.alias, image.live_tag, candidate.tag),
        **_asked_for(candidate, str(changes.get("kind", ""))),
        **changes,
    }
    if values["status"] in _NEEDS_APPROVAL:
        values.setdefault("approved_at", now)
    if values["status"] in _OVER:
        values.setdefault("ended_at", now)
    subject = sealing.subject(
        application=image.application,
        tracked_image=image,
        candidate=candidate,
        plan=values["plan"],
        kind=values.get("kind", Promotion.Kind.FORWARD),
        policy_version=policy.version_of(image.application),
    )
    values.setdefault("subject", subject)
    values.setdefault("seal", sealing.seal(subject))
    return Promotion.objects.create(
        application=image.application,
        tracked_image=image,
        candidate=candidate,
        to_tag=candidate.tag,
        to_digest=candidate.digest,
        **values,
    )


def make_review(promotion: Promotion | None = None, **changes: Any) -> Review:
    """Make the review that an emergency owes, due tomorrow; its promotion becomes an emergency."""
    promotion = promotion or make_promotion()
    Promotion.objects.filter(pk=promotion.pk).update(kind=Promotion.Kind.EMERGENCY)
    promotion.kind = Promotion.Kind.EMERGENCY
    now = timezone.now()
    values: dict[str, Any] = {
        "incident": "INC-7",
        "reason": "checkout is down for everybody",
        "declared_at": now,
        "due_at": now + timedelta(days=1),
    }
    if "declared_by" not in changes:
        changes["declared_by"] = make_person(role="approver")
    return Review.objects.create(promotion=promotion, **{**values, **changes})


def make_policy_version(text: str = "version: 1\n", **changes: Any) -> PolicyVersion:
    """Make a version of the policy file that was taken and stands no more."""
    values: dict[str, Any] = {
        "hash": sealing.seal({"policy": text}),
        "text": text,
        "loaded_at": timezone.now(),
        "loaded_by": "scan-worker-1",
    }
    return PolicyVersion.objects.create(**{**values, **changes})


def make_decision(promotion: Promotion, person: User, **changes: Any) -> Decision:
    """Make a standing approval of the promotion's current revision."""
    values: dict[str, Any] = {
        "revision": promotion.revision,
        "seal": promotion.seal,
        "verb": Decision.Verb.APPROVE,
        "identity": {"username": person.username, "full_name": person.get_full_name()},
        "rule": policy.rule_in_words(),
        "at": timezone.now(),
    }
    return Decision.objects.create(promotion=promotion, by=person, **{**values, **changes})


def make_execution(promotion: Promotion, **changes: Any) -> Execution:
    """Make the first attempt of a promotion, still running."""
    values: dict[str, Any] = {
        "attempt": 1,
        "target": "https://git.example.com/shop/deploy.git main",
        "holder": "execute-worker-1",
        "fence": 418,
        "started_at": timezone.now(),
    }
    return Execution.objects.create(promotion=promotion, **{**values, **changes})


def make_step(execution: Execution, name: str, **changes: Any) -> ExecutionStep:
    """Make a step of an attempt, done."""
    now: datetime = timezone.now()
    values: dict[str, Any] = {
        "position": execution.steps.count() + 1,
        "state": ExecutionStep.State.DONE,
        "started_at": now,
        "ended_at": now + timedelta(milliseconds=410),
    }
    return ExecutionStep.objects.create(execution=execution, name=name, **{**values, **changes})


def make_hold(**changes: Any) -> Hold:
    """Make a standing hold by mei: on everything, or on the Application or image that is given."""
    scope = Hold.Scope.EVERYTHING
    if "application" in changes:
        scope = Hold.Scope.APPLICATION
    elif "tracked_image" in changes:
        scope = Hold.Scope.IMAGE
    at = timezone.now() - timedelta(minutes=5)
    values: dict[str, Any] = {"scope": scope, "reason": "incident 4711", "by": "mei", "at": at}
    return Hold.objects.create(**{**values, **changes})


def make_comment(promotion: Promotion, person: User, text: str = "Seen on staging") -> Comment:
    """Make a comment of now."""
    author = person.get_full_name() or person.username
    return Comment.objects.create(
        promotion=promotion, by=person, author=author, text=text, at=timezone.now()
    )


def make_event(
    kind: AuditKind = AuditKind.CANDIDATE_FOUND,
    *,
    by: str | Actor = "scan-worker-1",
    promotion: Promotion | None = None,
    subject: audit.Subject | None = None,
    **details: Any,
) -> AuditEvent:
    """Record an event through the trail's own door."""
    actor = by if isinstance(by, Actor) else Actor(name=by)
    if promotion is not None:
        subject = audit.about(
            promotion.application,
            image=promotion.tracked_image.alias,
            promotion=str(promotion.pk),
        )
    with transaction.atomic():
        sequence = audit.record(kind=kind, by=actor, subject=subject, details=details)
    return AuditEvent.objects.get(sequence=sequence)


def make_breaker(host: str = "git.example.com", **changes: Any) -> Breaker:
    """Make the open breaker of a Git host that does not answer since ten minutes."""
    now = timezone.now()
    values: dict[str, Any] = {
        "kind": Breaker.Kind.GIT,
        "failures": 3,
        "failing_since": now - timedelta(minutes=10),
        "retry_at": now + timedelta(seconds=20),
        "error_code": "git_repository_unreachable",
        "error_message": f"Git repository https://{host}/shop/deploy.git: the host cannot be reached",
    }
    return Breaker.objects.create(host=host, **{**values, **changes})


def let_breakers_probe() -> None:
    """Let the half minute pass after which an open breaker lets a probe through."""
    past = timezone.now() - timedelta(seconds=1)
    Breaker.objects.filter(failures__gt=0).update(retry_at=past)

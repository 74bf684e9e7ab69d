"""A large estate for `bench.pages`: Applications, images and a year of promotions, as the product would have left them.

What is alive is sealed one by one by the tests' builders, so that pages judge it as they judge real rows. The past
comes from a few statements over `generate_series`. The trail is written through its own trigger, which sets sequence,
time and hash: its chain is valid, and all its rows bear the time of the building.
"""

import itertools
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from approvals import policy
from approvals.models import PolicyVersion, Promotion, Request
from approvals.policy import reading
from tests import builders
from updater.models import Application, ImageManifest, ImageRepository, TrackedImage

APPLICATIONS, IMAGES, REPOSITORIES, TAGS = 500, 3, 200, 20
PAST = 33  # ended promotions of each image
EVENTS = 300_000
NEWEST = f"main-{TAGS:07x}"
POLICY = """
version: 1
roles:
  - {role: approver, groups: [team-1-approvers], projects: [team-1]}
defaults:
  approvals: [{name: release, role: approver, count: 1}]
rules:
  - name: two teams
    match: {projects: [team-1, team-2]}
    approvals: [{name: owners, role: approver, count: 1}, {name: sre, groups: [sre], count: 1}]
  - name: weekdays
    match: {projects: [team-3]}
    windows: {allow: [{name: day, cron: 0 8 * * MON-FRI, duration: 10h, zone: Europe/Berlin}]}
"""
# How many images of the 1,500 have a promotion in each of the statuses of what is alive
ALIVE = {
    "PENDING": 1200,
    "APPROVED": 150,
    "EXECUTING": 10,
    "VERIFYING": 20,
    "UNKNOWN": 5,
    "ERRORED": 30,
}


def build() -> None:
    """Build all of it, in the order in which the rows need each other."""
    people = _people()
    _stand_policy()
    images = _images(_repositories())
    _alive(images, people)
    _past()
    _around(images, people)
    _trail()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _people() -> list[User]:
    people = [builders.make_person("mei", role="approver", full_name="Mei Tanaka")]
    people += [builders.make_person(f"approver-{n}", role="approver") for n in range(19)]
    people += [builders.make_person(f"viewer-{n}", role="viewer") for n in range(20)]
    builders.make_person("lee", role="team-1-approvers")
    for person in people[:5]:
        person.groups.add(builders.Group.objects.get_or_create(name="sre")[0])
    return people


def _stand_policy() -> None:
    text = POLICY
    document = reading.read(text.encode())
    PolicyVersion.objects.create(
        hash=reading.hash_of(text.encode()),
        text=text,
        bindings=[binding.model_dump(mode="json") for binding in document.roles],
        loaded_at=timezone.now() - timedelta(days=400),
        loaded_by="scan-worker-1",
        is_current=True,
    )
    if policy.current().closed:
        raise RuntimeError(policy.current().closed)


def _repositories() -> list[ImageRepository]:
    found = []
    for number in range(REPOSITORIES):
        row = builders.make_image_repository(f"shop/image-{number}", tag_count=TAGS)
        for place in range(1, TAGS + 1):
            tag = f"main-{place:07x}"
            created = timezone.now() - timedelta(days=TAGS - place, hours=3)
            builders.make_manifest(row, tag, created=created)
            builders.make_tag(row, tag, position=place)
        found.append(row)
    return found


def _images(repositories: list[ImageRepository]) -> list[TrackedImage]:
    turn = itertools.cycle(repositories)
    return [
        builders.make_tracked_image(
            application,
            f"image-{place}",
            position=place,
            image_repository=next(turn),
            live_tag=f"main-{TAGS - 1:07x}",
            live_digest=builders.digest(f"main-{TAGS - 1:07x}"),
        )
        for application in _applications()
        for place in range(IMAGES)
    ]


def _applications() -> Iterator[Application]:
    resources = [
        {"kind": "Deployment", "name": f"part-{n}", "status": "Synced", "version": "v1"}
        for n in range(60)
    ]
    for number in range(APPLICATIONS):
        yield builders.make_application(
            f"application-{number:03}",
            project=f"team-{number % 8}",
            health_status="Degraded" if number % 25 == 0 else "Healthy",
            manifest={
                "metadata": {"labels": {"tier": "web"}, "annotations": {"note": "x" * 1000}},
                "spec": {
                    "syncPolicy": {"automated": {}},
                    "destination": {
                        "server": "https://kubernetes.default.svc",
                        "namespace": f"team-{number % 8}",
                    },
                },
                "status": {"resources": resources},
            },
        )


def _alive(images: list[TrackedImage], people: list[User]) -> None:
    manifests = {
        row.image_repository_id: row
        for row in ImageManifest.objects.filter(digest=builders.digest(NEWEST))
    }
    statuses = itertools.chain.from_iterable([status] * many for status, many in ALIVE.items())
    # Spread over all Applications, not the first ones full and the last ones empty
    spread = (images[number * 7 % len(images)] for number in range(len(images)))
    for number, (image, status) in enumerate(zip(spread, statuses, strict=False)):
        manifest = manifests[image.image_repository_id]
        candidate = builders.make_candidate(image, NEWEST, manifest=manifest)
        promotion = builders.make_promotion(candidate, status=status)
        if status != "PENDING" or number % 4 == 0:
            builders.make_decision(promotion, people[number % 20])
        if status in ("EXECUTING", "UNKNOWN", "ERRORED", "VERIFYING"):
            ended = promotion.created_at if status == "ERRORED" else None
            builders.make_step(builders.make_execution(promotion, ended_at=ended), "Push")


def _past() -> None:
    model = Promotion.objects.filter(status="PENDING").order_by("created_at")[0]
    with connection.cursor() as cursor:
        for statement in _PAST:
            cursor.execute(statement, {"past": PAST, "model": model.pk})


def _around(images: list[TrackedImage], people: list[User]) -> None:
    for number in range(30):
        builders.make_hold(tracked_image=images[number * 11])
        builders.make_hold(tracked_image=images[number * 11], released_at=timezone.now())
    pending = list(Promotion.objects.pending().select_related("tracked_image")[:500])
    for promotion in pending:
        for _ in range(5):
            builders.make_comment(promotion, people[0])
    for promotion in Promotion.objects.filter(status="SUCCEEDED").order_by("-created_at")[:60]:
        builders.make_review(promotion, declared_by=people[1])
    for number, image in enumerate(images[:30]):
        is_over = number >= 10
        Request.objects.create(
            tracked_image=image,
            kind="chosen",
            tag="main-0000003",
            reason="the newer one is slow",
            by=people[number % 40],
            at=timezone.now(),
            status="REFUSED" if is_over else "WAITING",
            ended_at=timezone.now() if is_over else None,
            problem="main-0000003 is gone from the registry." if is_over else "",
        )


def _trail() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TRAIL, {"events": EVENTS})


_PAST = (
    """
    INSERT INTO updater_candidate
        (tracked_image_id, tag, digest, manifest_id, reason, is_downgrade, is_current, problem, found_at)
    SELECT image.id, 'main-' || lpad(to_hex(100000 + n), 7, '0'),
           'sha256:' || encode(sha256(convert_to(image.id || '-' || n, 'UTF8')), 'hex'),
           NULL, 'newest build', false, false, '', now() - make_interval(days => n * 10)
    FROM updater_trackedimage image, generate_series(1, %(past)s) n
    """,
    """
    INSERT INTO approvals_promotion
        (id, application_id, tracked_image_id, candidate_id, kind, status, status_at, status_reason,
         from_tag, from_digest, to_tag, to_digest, revision, subject, seal, plan, created_at, expires_at,
         approved_at, ended_at, ended_by, requested_by, request_reason, authors, abort_requested_by,
         abort_reason, attempts, error_code, commit, pushed_at, pull_request)
    SELECT gen_random_uuid(), image.application_id, image.id, row.id, 'forward', row.status,
           row.found_at + interval '2 hours', 'Synced and Healthy with the new image.',
           'main-0000001', '', row.tag, row.digest, 1, model.subject,
           encode(sha256(convert_to(row.id::text, 'UTF8')), 'hex'), model.plan, row.found_at,
           row.found_at + interval '7 days',
           CASE WHEN row.status IN ('SUCCEEDED', 'FAILED') THEN row.found_at + interval '1 hour' END,
           row.found_at + interval '2 hours', '', '', '', '{}', '', '', 1, '', '',
           CASE WHEN row.status IN ('SUCCEEDED', 'FAILED') THEN row.found_at + interval '1 hour' END, '{}'
    FROM (SELECT candidate.*,
                 (ARRAY['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED',
                        'FAILED', 'REJECTED', 'EXPIRED', 'SUPERSEDED', 'SUPERSEDED', 'WITHDRAWN',
                        'ABORTED'])[1 + candidate.id %% 14] AS status
          FROM updater_candidate candidate WHERE NOT is_current) row
    JOIN updater_trackedimage image ON image.id = row.tracked_image_id
    CROSS JOIN approvals_promotion model WHERE model.id = %(model)s
    """,
    """
    INSERT INTO approvals_decision
        (id, promotion_id, revision, seal, verb, reason, by_id, identity, rule, at, void_reason)
    SELECT gen_random_uuid(), promotion.id, 1, promotion.seal,
           CASE promotion.status WHEN 'REJECTED' THEN 'reject' ELSE 'approve' END,
           'looks right', person.id, jsonb_build_object('username', person.username, 'full_name', ''),
           'One approver approves.', promotion.created_at + interval '50 minutes', ''
    FROM approvals_promotion promotion
    JOIN LATERAL (SELECT id, username FROM auth_user WHERE username LIKE 'approver-%%'
                  ORDER BY md5(username || promotion.id::text) LIMIT 2) person ON true
    WHERE promotion.status IN ('SUCCEEDED', 'FAILED', 'REJECTED', 'ABORTED')
    """,
    """
    INSERT INTO approvals_execution
        (id, promotion_id, attempt, target, holder, fence, started_at, ended_at, status, error_code, message,
         base_commit, intended_commit)
    SELECT gen_random_uuid(), id, 1, 'https://git.example.com/shop/deploy.git main', 'execute-worker-1', 1,
           approved_at, ended_at, status, '', '', '', ''
    FROM approvals_promotion WHERE status IN ('SUCCEEDED', 'FAILED')
    """,
    """
    INSERT INTO approvals_executionstep (execution_id, position, name, intended, probed, state, started_at, ended_at)
    SELECT execution.id, n, 'Step ' || n, 'intended', 'found', 'DONE', started_at, ended_at
    FROM approvals_execution execution, generate_series(1, 6) n WHERE execution.status IN ('SUCCEEDED', 'FAILED')
    """,
)
_TRAIL = """
    INSERT INTO updater_auditevent
        (kind, actor, actor_kind, via, address, request_id, application, image, promotion, details)
    SELECT kind, CASE kind WHEN 'promotion.approved' THEN 'approver-' || place %% 19 ELSE 'execute-worker-1' END,
           CASE kind WHEN 'promotion.approved' THEN 'person' ELSE 'machine' END, 'worker', '', '',
           application, image, promotion, '{"reason":"as it should","tag":"main-0000001"}'
    FROM (
        SELECT application.namespace || '/' || application.name AS application, tracked.alias AS image,
               promotion.id::text AS promotion, row_number() OVER (ORDER BY promotion.created_at) AS place
        FROM approvals_promotion promotion
        JOIN updater_application application ON application.id = promotion.application_id
        JOIN updater_trackedimage tracked ON tracked.id = promotion.tracked_image_id
    ) row
    CROSS JOIN LATERAL unnest(ARRAY['candidate.found', 'promotion.opened', 'approval.given', 'promotion.approved',
                                    'override.committed', 'promotion.succeeded']) kind
    ORDER BY place
    LIMIT %(events)s
"""

"""One Application that is written by pull requests, and what a person or a stranger does to them."""

from approvals.models import Promotion
from onebox.world.git_host.api import ApiAnswer
from tests.integration.git.scene import plain_git
from tests.integration.pull_requests import hosts
from tests.integration.story.conftest import approve
from tests.integration.story.outside import REPOSITORY
from updater.models import AuditEvent

OVERRIDE = ".argocd-source-example.yaml"
ANNOTATION = "countersign.dev/pull-request"


class Story:
    """The outside world with the git host speaking like `kind`."""

    def __init__(self, outside, kind, **options):
        self.outside = outside
        self.kind = kind
        self.api = hosts.speak(outside.git, kind, **options)
        outside.add_example(**{ANNOTATION: kind})
        self.pulls = outside.git.pulls

    @property
    def all(self):
        """The pull requests, newest first."""
        return self.pulls.all(REPOSITORY)

    @property
    def origin(self):
        return self.outside.git.repositories.path(REPOSITORY)

    def tip(self, branch):
        return self.outside.git.repositories.tip(self.origin, branch)

    def read(self, branch="main", path=OVERRIDE):
        return self.outside.git.read(REPOSITORY, branch, path).decode()

    def push(self, branch, files):
        return self.outside.git.commit(REPOSITORY, branch, files, "by a stranger")

    def approved(self, sre, *args, **options):
        """Offer a build and approve it."""
        return approve(self.outside.offer(*args, **options), sre)

    def proposed(self, sre, *args, **options):
        """Offer, approve and open the pull request of a build."""
        promotion = self.approved(sre, *args, **options)
        self.sweep()
        return promotion

    def sweep(self, holder="worker-1"):
        """Let the worker look at everything now, however long it wanted to rest."""
        Promotion.objects.filter(next_attempt_at__isnull=False).update(
            next_attempt_at="2026-01-01T00:00Z"
        )
        return self.outside.execute(holder=holder)

    def merge(self, number=1, **options):
        return self.pulls.merge(REPOSITORY, number, by="mei", **options)

    def update_branch(self, promotion):
        """Bring the head branch up to date with main, as the host's button does."""
        head = promotion.pull_request["head"]
        merger = self.pulls._merger(REPOSITORY)
        main, old = self.tip("main"), self.tip(head)
        tree = merger.tree(main, old)
        new = merger.commit(tree, [old, main], "Merge branch main\n", "Mei <mei@example.com>")
        merger.move(head, new, old)
        return new

    def branch(self, name):
        """Make a branch where main stands."""
        plain_git(self.origin, "update-ref", f"refs/heads/{name}", self.tip("main"))

    def files(self, branch):
        return plain_git(self.origin, "ls-tree", "-r", "--name-only", branch).split()

    def answer(self, *answers):
        """Let the host answer the next requests with these, whatever they ask."""
        self.outside.git.faults.api_answers += answers

    def error_out(self, promotion):
        """Let the worker stop with an error that needs a person, the pull request open."""
        self.answer(ApiAnswer(401, {"message": "expired"}))
        self.sweep()
        assert seen(promotion).status == "ERRORED"

    def retry(self):
        """Make everything due, as the retry button does."""
        Promotion.objects.filter(status="ERRORED").update(next_attempt_at="2026-01-01T00:00Z")
        return self.outside.execute()

    def client(self):
        """Return a client of the pull requests, as the worker has it."""
        return hosts.client(self.outside.git, self.kind, password="git-password", name=REPOSITORY)

    def delete_branch(self, branch):
        plain_git(self.origin, "update-ref", "-d", f"refs/heads/{branch}")


def kinds(promotion):
    """Return the audit kinds of a promotion, in order."""
    rows = AuditEvent.objects.filter(promotion=str(promotion.pk)).order_by("sequence")
    return list(rows.values_list("kind", flat=True))


def seen(promotion):
    """Return the promotion as it stands now."""
    promotion.refresh_from_db()
    return promotion

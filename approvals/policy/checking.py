"""What in a valid policy file is worth a second look: it means something else than it may seem. Pure."""

from collections.abc import Iterator

from approvals.policy.document import NEVER, Document, Match, Rule


def notes(document: Document) -> list[str]:
    """Return the notes, in the order of the file."""
    found = [note for rule in document.rules for note in _of_rule(rule)]
    if not any(_is_for_all(rule.match) for rule in document.rules) and document.rules:
        found.append("no rule is for every Application: where none matches, only the defaults hold")
    return found


def _is_for_all(match: Match) -> bool:
    return match == Match()


def _of_rule(rule: Rule) -> Iterator[str]:
    if rule.match.labels:
        yield (
            f"rule {rule.name} selects by labels: whoever may edit an Application can take "
            "the label away, and the rule with it"
        )
    if rule.when_authors_unknown == "refuse" and not set(rule.exclude) & {
        "builder",
        "commit-authors",
    }:
        yield f"rule {rule.name} has when_authors_unknown, which matters only where exclude names authors"
    if rule.auto_approve not in (None, NEVER) and (rule.soak or rule.upstream or rule.windows.deny):
        yield (
            f"rule {rule.name} approves automatically; soak, upstream and windows still delay the start"
        )

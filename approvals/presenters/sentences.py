"""Every audit kind as a sentence: what happened, told with the details the event kept.

A segment whose facts are missing is left out, so older events and other writers still read well.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from approvals.presenters.texts import visible
from updater.audit import AuditKind
from updater.models import AuditEvent

SHORT_FACTS = {
    "digest": 19,
    "before": 19,
    "after": 19,
    "commit": 10,
    "seal": 10,
}  # shown length of long facts


@dataclass(frozen=True, slots=True)
class Sentence:
    """How one kind is told: its shape and tone, the word for its result, and the segments of its sentence."""

    icon: str
    tone: str
    result: str
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One event, ready to read; `quote` is what a person or an outside system said."""

    icon: str
    tone: str
    result: str
    text: str
    quote: str


def _done(*segments: str, icon: str = "pass", tone: str = "ok") -> Sentence:
    return Sentence(icon, tone, "Done", segments)


def _refused(*segments: str) -> Sentence:
    return Sentence("block", "bad", "Refused", segments)


def _trouble(result: str, *segments: str, icon: str = "ERRORED", tone: str = "wait") -> Sentence:
    return Sentence(icon, tone, result, segments)


SENTENCES: dict[AuditKind, Sentence] = {
    AuditKind.APPLICATION_FOUND: _done("found the Application"),
    AuditKind.APPLICATION_CHANGED: _done("saw other write-back settings"),
    AuditKind.APPLICATION_VANISHED: _done(
        "saw that the Application is gone", icon="WITHDRAWN", tone="plain"
    ),
    AuditKind.CONFIGURATION_PROBLEM_FOUND: _trouble("Problem", "found a wrong setting", ": {key}"),
    AuditKind.CANDIDATE_FOUND: _done("found {tag}", ", {digest}", ": {reason}", icon="PENDING"),
    AuditKind.SCAN_FAILED: _trouble(
        "Failed", "could not scan", " {repository}", " {registry}", icon="unknown", tone="odd"
    ),
    AuditKind.SCAN_RECOVERED: _done("could scan again", ": {repository}", ": {registry}"),
    AuditKind.HOST_SILENT: _trouble(
        "Silent", "got no answer", " from the {host}", icon="unknown", tone="odd"
    ),
    AuditKind.HOST_ANSWERS: _done("got an answer again", " from the {host}"),
    AuditKind.TAG_MOVED: _trouble(
        "Alarm",
        "saw that {tag} was pushed again",
        ", and it {what}",
        ", from {before}",
        " to {after}",
        icon="block",
        tone="bad",
    ),
    AuditKind.PROMOTION_OPENED: _done(
        "proposed {tag}",
        " to replace {from}",
        ", sealed as {seal}",
        ", asked for by {who}",
        icon="seal",
        tone="sign",
    ),
    AuditKind.PROMOTION_NOT_OPENED: _trouble("Not opened", "could not propose {tag}"),
    AuditKind.AUTHORS_READ: _done(
        "read who wrote {tag}", ": {people} in {commits}", icon="person", tone="plain"
    ),
    AuditKind.PROMOTION_RESEALED: _trouble(
        "Sealed anew",
        "sealed anew as {seal}",
        ", revision {revision}; earlier approvals are void",
        icon="seal",
    ),
    AuditKind.PROMOTION_REQUESTED: _done(
        "asked for {tag}", " to replace {from}", ", sealed as {seal}", icon="seal", tone="sign"
    ),
    AuditKind.APPROVAL_GIVEN: _done("signed {tag}", ", seal {seal}", tone="sign"),
    AuditKind.APPROVAL_WITHDRAWN: _trouble(
        "Withdrawn", "took the approval of {tag} back", icon="WITHDRAWN", tone="plain"
    ),
    AuditKind.PROMOTION_APPROVED: _done("approved {tag}", ", seal {seal}", tone="sign"),
    AuditKind.APPROVAL_LAPSED: _trouble("Lapsed", "put it back before the people", icon="block"),
    AuditKind.PROMOTION_REJECTED: Sentence(
        "REJECTED", "bad", "Rejected", ("rejected {tag}", ", seal {seal}")
    ),
    AuditKind.PROMOTION_EXPIRED: Sentence("EXPIRED", "plain", "Expired", ("let {tag} expire",)),
    AuditKind.PROMOTION_SUPERSEDED: Sentence(
        "SUPERSEDED", "plain", "Superseded", ("set {tag} aside",)
    ),
    AuditKind.PROMOTION_WITHDRAWN: Sentence("WITHDRAWN", "plain", "Withdrawn", ("withdrew {tag}",)),
    AuditKind.ABORT_REQUESTED: _trouble("Stopping", "asked to stop {tag}", icon="block"),
    AuditKind.ABORT_MISSED: _trouble(
        "Too late", "could not stop {tag}: it was on its way already", icon="block"
    ),
    AuditKind.PROMOTION_ABORTED: Sentence(
        "ABORTED", "plain", "Aborted", ("ended {tag}", " with {pull_request}")
    ),
    AuditKind.PROMOTION_RETRIED: _done("asked for another attempt", icon="return", tone="sign"),
    AuditKind.DECISION_REFUSED: _refused("was refused to {verb}"),
    AuditKind.COMMENT_WRITTEN: _done("wrote a comment", icon="comment", tone="plain"),
    AuditKind.HOLD_SET: _trouble("Held", "held {target}", ", until {until}", icon="block"),
    AuditKind.HOLD_RELEASED: _done("released {target}"),
    AuditKind.HOLD_ENDED: _done("saw the hold on {target} end", tone="plain"),
    AuditKind.DIGEST_REFUSED: _trouble(
        "Not offered", "keeps {tag} from being offered again", ", {digest}", icon="block"
    ),
    AuditKind.REFUSAL_LIFTED: _done("lets {tag} be offered again", ", {digest}", tone="sign"),
    AuditKind.EMERGENCY_DECLARED: _trouble(
        "Emergency",
        "declared an emergency for {tag}",
        ", incident {incident}",
        "; a review is owed until {due}, from {reviewers}",
        tone="bad",
    ),
    AuditKind.REVIEW_GIVEN: _done("reviewed the emergency", ": {verdict}", icon="person"),
    AuditKind.EXECUTION_STARTED: _done("started to write {tag}", icon="EXECUTING", tone="run"),
    AuditKind.EXECUTION_DELAYED: _trouble("Delayed", "waits and looks again", icon="wait"),
    AuditKind.EXECUTION_FINISHED: _done(
        "wrote {tag}", "; waits for Argo CD", icon="VERIFYING", tone="run"
    ),
    AuditKind.EXECUTION_ERRORED: _trouble("Errored", "stopped while writing", " {tag}"),
    AuditKind.EXECUTION_LOST_SIGHT: _trouble(
        "Unknown", "cannot tell what was written", icon="UNKNOWN", tone="odd"
    ),
    AuditKind.EXECUTION_SIGHTED: _done(
        "could tell again what was written", icon="VERIFYING", tone="run"
    ),
    AuditKind.LOOK_REQUESTED: _done("asked for a look now at {tag}", icon="return", tone="sign"),
    AuditKind.FINDING_GIVEN: _done(
        "found out about {tag}", ": {verdict}", icon="person", tone="sign"
    ),
    AuditKind.EXECUTION_RESOLVED: _done(
        "settled by two people what became of {tag}", ": {verdict}", icon="person", tone="sign"
    ),
    AuditKind.EXECUTION_UNAUTHORISED: _refused("refused to write what nobody approved", ": {tag}"),
    AuditKind.COMMIT_ORPHANED: _trouble(
        "Alarm",
        "found a commit of ours without its promotion",
        ", {commit}",
        icon="block",
        tone="bad",
    ),
    AuditKind.TRAILER_FORGED: _trouble(
        "Forged", "found a commit that pretends to be ours", icon="block", tone="bad"
    ),
    AuditKind.OVERRIDE_COMMITTED: _done(
        "committed {commit}", " to {branch}", icon="commit", tone="run"
    ),
    AuditKind.PULL_REQUEST_OPENED: _done(
        "opened a pull request", ": {pull_request}", ", from {head}", icon="commit", tone="run"
    ),
    AuditKind.PULL_REQUEST_MERGED: _done(
        "saw the pull request merged", ": {pull_request}", ", by {who}", icon="commit", tone="run"
    ),
    AuditKind.PULL_REQUEST_CLOSED: _trouble(
        "Closed", "saw the pull request closed", ": {pull_request}", ", by {who}", icon="block"
    ),
    AuditKind.APPLICATION_REFRESHED: _done(
        "asked Argo CD to compare", " with {commit}", icon="return"
    ),
    AuditKind.SYNC_REQUESTED: _done(
        "asked Argo CD to sync", " {commit}", icon="return", tone="run"
    ),
    AuditKind.APPLICATION_PATCHED: _done("patched the Application", icon="commit", tone="run"),
    AuditKind.PROMOTION_SUCCEEDED: _done("saw {tag} run", icon="SUCCEEDED"),
    AuditKind.PROMOTION_FAILED: _trouble("Failed", "saw {tag} fail", icon="FAILED", tone="bad"),
    AuditKind.PERSON_SIGNED_IN: _done("signed in", icon="person"),
    AuditKind.PERSON_SIGNED_OUT: _done("signed out", icon="person", tone="plain"),
    AuditKind.SIGN_IN_REFUSED: _refused("could not sign in", " as {username}"),
    AuditKind.TOKEN_CREATED: _done("made a token", " “{name}”", " for {username}", icon="seal"),
    AuditKind.TOKEN_REVOKED: _done(
        "revoked the token", " “{name}”", " of {username}", tone="plain"
    ),
    AuditKind.GROUP_JOINED: _done("put {person} into the group {group}", icon="person"),
    AuditKind.ROLE_GIVEN: _done("gave {person} the role {role}", icon="person"),
    AuditKind.ROLE_TAKEN: _done("took the role {role} from {person}", icon="person", tone="plain"),
    AuditKind.AUDIT_EXPORTED: _done("exported the trail", ", {rows} events", tone="plain"),
    AuditKind.POLICY_LOADED: _done(
        "loaded the policy {version}", "; before it {before} stood", icon="seal", tone="sign"
    ),
    AuditKind.POLICY_REFUSED: _refused("could not use the policy file", " {version}"),
}


# Their reason already stands in the sentence.
_TOLD_WITHOUT_QUOTE = {AuditKind.CANDIDATE_FOUND, AuditKind.EXECUTION_FINISHED}


def tell(event: AuditEvent) -> Told:
    """Return the event as a sentence; a kind that this release does not know is told by its name."""
    facts = details_of(event)
    try:
        sentence = SENTENCES[AuditKind(event.kind)]
    except (KeyError, ValueError):
        return Told("comment", "plain", "Recorded", visible(event.kind), "")
    shown = {key: _short(key, value) for key, value in facts.items() if value not in (None, "")}
    return Told(
        sentence.icon,
        sentence.tone,
        sentence.result,
        _filled(sentence.segments, shown) or event.kind,
        _quote(event.kind, facts),
    )


def details_of(event: AuditEvent) -> dict[str, Any]:
    """Return the details an event kept; its text is canonical JSON, written by `audit.record` only."""
    details = json.loads(event.details)
    return details if isinstance(details, dict) else {}


def _filled(segments: tuple[str, ...], facts: Mapping[str, str]) -> str:
    filled = []
    for segment in segments:
        try:
            filled.append(segment.format_map(facts))
        except KeyError:
            if not filled:  # the first segment carries the verb: say it without the fact
                filled.append(segment.partition(" {")[0])
    return "".join(filled)


def _short(key: str, value: object) -> str:
    text = visible(str(value))
    return text[: SHORT_FACTS.get(key, 120)]


def _quote(kind: str, facts: Mapping[str, Any]) -> str:
    if kind in _TOLD_WITHOUT_QUOTE:
        return ""
    for key in ("reason", "message", "error"):
        if isinstance(facts.get(key), str) and facts[key]:
            return visible(facts[key])
    return ""

"""What the demo tells its visitor: where to go, as whom, and what to try."""

from pathlib import Path

from onebox.world.people import PASSWORD, PEOPLE
from onebox.world.place import EXECUTING, Place

_WHAT_THEY_MAY = {
    "viewer": "looks",
    "approver": "approves and rejects",
    "auditor": "reads the trail",
    "administrator": "looks after people and tokens",
}


def text(url: str, logs: Path, place: Place) -> str:
    """Return the page of text that ends the demo's start."""
    people = "\n".join(
        f"      {person.username:<7}{person.full_name}, {person.work}: {_WHAT_THEY_MAY[person.role]}"
        + (f"; group {', '.join(person.groups)}" if person.groups else "")
        for person in PEOPLE
    )
    chart = f"{place.git_url}/acme/example-chart/commits/main"
    pull_requests = f"{place.git_url}/acme/accounts-chart/pulls"
    return f"""
  Countersign is at {url}

  Sign in with the password {PASSWORD} as
{people}

  Try this
      1. As mei, open a pending promotion of the Application "example". It shows which line of which file will
         change. Approve it: seconds later the commit is at {chart}
         and the Application rolls forward. Every step is in the audit trail.
      2. Approve one of "payments" as mei: one approval of two. The other must be a lead's: sign in as priya. Its
         new build crashes, and the release is recorded as FAILED.
      3. Open the Application "checkout": one annotation is wrong, and the page says which and how to mend it.
      4. Look at the releases of "catalog": the policy approves its small versions by itself, and nothing is
         committed; the Application itself is patched (method argocd).
      5. Approve one of "orders": one value of its values file changes, and people's comments stay. Whoever wrote
         one of its commits cannot approve it: amara writes some.
      6. Approve one of "delivery": the change goes into its kustomization. From half past to the full hour a
         freeze holds it back: it is approved, waits, and runs when the window opens.
      7. Approve one of "accounts": a pull request is opened. Merge it at {pull_requests}
         and within half a minute the Application rolls forward.
      8. Approve one of "search": of its two sources, chart and values, only the values are written, and its tag is
         pinned by the digest.
      9. As jonas, open a promotion: every action that is off says why. As sara, read who did what.
     10. Open the page Policy: what holds for each Application, and from which rule. Edit the policy at
         {place.policy_file}
         and a new version stands within seconds; what waits is sealed anew and says so.

  Push a build of your own; a tag that begins with main becomes a pending promotion within half a minute
      curl -d '{{"repository": "acme/backend", "tag": "main-e1f492f"}}' http://{place.registry}/_push
  A pretend CI pushes another one every half minute.

  Outside of it
      Git host    {place.git_url}/
      cluster     kubectl --kubeconfig {place.kubeconfig(EXECUTING)} get applications
      logs        {logs}

  Ctrl-C stops everything; make demo goes on where it was, make demo ARGS=--fresh starts over.
"""

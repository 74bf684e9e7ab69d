"""How long pages and lists of the API take over a large estate, cold and warm, through the real ASGI application.

    python -m bench.pages [--rounds 40] [--state DIRECTORY] [--only WORDS]

With --state the estate is built once and used again. Cold is the first time a page is asked for after PostgreSQL and
this process were started; the file system's cache is warm. Requests come one after the other: it is the time of one
person's page, not how many the machine could make.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOST = "countersign.example"
WISHED_MS = 200  # what is slower at p95 is marked


@dataclass
class Page:
    """One address, who asks for it, and what it took."""

    name: str
    address: str
    who: str = "mei"
    cold: float = 0.0
    warm: list[float] = field(default_factory=list)
    queries: int = 0
    kilobytes: float = 0.0

    @property
    def p95(self) -> float:
        """The time that 19 of 20 stay under, in milliseconds."""
        return sorted(self.warm)[max(0, round(len(self.warm) * 0.95) - 1)]


@contextmanager
def product(state: Path) -> Iterator[None]:
    """Start a PostgreSQL of our own, with the pool and the durability of production, and build the estate once."""
    from onebox.postgres import Postgres  # noqa: PLC0415

    server = Postgres(state / "postgres")
    server.start()
    os.environ |= {
        "DATABASE_URL": server.url, "DATABASE_OWNER_URL": server.owner_url, "SECRET_KEY": "b" * 60, "REDIS_URL": "memory://",
        "DJANGO_SETTINGS_MODULE": "updater.settings", "LOG_LEVEL": "ERROR", "DATABASE_POOL": "true",
        "ALLOWED_HOSTS": HOST, "STATE_DIR": str(state / "state"),
    }  # fmt: skip
    import django  # noqa: PLC0415

    django.setup()
    try:
        _build_once()
        _restart(server)
        yield
    finally:
        _close_connections()
        server.stop()


def _build_once() -> None:
    from django.core.management import call_command  # noqa: PLC0415

    from bench import estate  # noqa: PLC0415
    from updater.models import Application  # noqa: PLC0415

    call_command("prepare_database", verbosity=0)
    if Application.objects.exists():
        return
    started = time.perf_counter()
    estate.build()
    print(f"built in {time.perf_counter() - started:.0f} s")


def _restart(server: Any) -> None:
    _close_connections()
    server.stop()
    server.start()


def _close_connections() -> None:
    from django.db import connection  # noqa: PLC0415

    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper has one


def pages() -> list[Page]:
    """Return what is measured, with the addresses of rows in the middle of the estate."""
    from approvals.models import Promotion  # noqa: PLC0415

    def one(status: str) -> str:
        rows = Promotion.objects.filter(status=status).order_by("-created_at")
        return str(rows.values_list("pk", flat=True)[3])

    pending, done, unknown = (one(status) for status in ("PENDING", "SUCCEEDED", "UNKNOWN"))
    application = "argocd/application-250"
    return [
        Page("inbox", "/"),
        Page("inbox, all", "/?show=all"),
        Page("inbox, one project", "/?show=all&project=team-1"),
        Page("inbox, search", "/?show=all&q=application-25"),
        Page("inbox, search of a person", "/?show=all&q=approver-7"),
        Page("inbox of one team's approver", "/", who="lee"),
        Page("Application list", "/applications/"),
        Page("Application list, with pending", "/applications/?show=pending"),
        Page("Application", f"/applications/{application}/"),
        Page("Application, releases", f"/applications/{application}/releases/"),
        Page("promotion, pending", f"/promotions/{pending}/"),
        Page("promotion, over", f"/promotions/{done}/"),
        Page("promotion, how it was written", f"/promotions/{done}/execution/"),
        Page("promotion, unknown", f"/promotions/{unknown}/execution/"),
        Page("reject", f"/promotions/{pending}/reject/"),
        Page("releases", "/releases/"),
        Page("releases, failed", "/releases/?status=failed"),
        Page("releases of an Application", f"/releases/?application={application}"),
        Page("releases, name in part", "/releases/?application=application-2"),
        Page("releases of one team's approver", "/releases/", who="lee"),
        Page("audit", "/audit/"),
        Page("audit, one kind", "/audit/?kind=promotion.approved"),
        Page("audit, a rare kind", "/audit/?kind=promotion.expired"),
        Page("audit, one person", "/audit/?actor=approver-7"),
        Page("audit, person and kind", "/audit/?actor=approver-7&kind=promotion.approved"),
        Page("audit, one Application", f"/audit/?application={application}"),
        Page("audit, Application and kind", f"/audit/?application={application}&kind=approval.given"),
        Page("audit, nobody of that name", "/audit/?actor=nobody"),
        Page("audit, last day", "/audit/?when=day"),
        Page("audit, one promotion", f"/audit/?promotion={done}"),
        Page("holds", "/holds/"),
        Page("policy", "/policy/"),
        Page("policy of an Application", f"/policy/?application={application}"),
        Page("recovery", "/recovery/"),
        Page("reviews", "/reviews/"),
        Page("API promotions", "/api/v1/promotions"),
        Page("API promotions, pending", "/api/v1/promotions?status=PENDING"),
        Page("API promotions of an Application", f"/api/v1/promotions?application={application}"),
        Page("API promotion", f"/api/v1/promotions/{pending}"),
        Page("API applications", "/api/v1/applications"),
        Page("API audit events", "/api/v1/audit-events"),
        Page("API audit events, kind", "/api/v1/audit-events?kind=promotion.approved"),
        Page("API holds", "/api/v1/holds"),
        Page("API reviews", "/api/v1/reviews"),
        Page("API recovery", "/api/v1/recovery"),
    ]  # fmt: skip


def sessions(names: set[str]) -> dict[str, dict[str, str]]:
    """Sign these people in and return their cookies."""
    from django.conf import settings  # noqa: PLC0415
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    cookies = {}
    for name in names:
        client = Client()
        client.force_login(User.objects.get(username=name), settings.AUTHENTICATION_BACKENDS[-1])
        key = settings.SESSION_COOKIE_NAME
        cookies[name] = {key: client.cookies[key].value}
    return cookies


async def measure(wanted: list[Page], cookies: dict[str, dict[str, str]], rounds: int) -> None:
    """Ask for each page once cold, then warm in turns, so that none has the caches to itself."""
    import httpx  # noqa: PLC0415

    from updater.asgi import application  # noqa: PLC0415

    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
        for turn in range(rounds + 1):
            for page in wanted:
                started = time.perf_counter()
                answer = await client.get(page.address, headers=_cookie(cookies[page.who]))
                took = (time.perf_counter() - started) * 1000
                answer.raise_for_status()
                if turn:
                    page.warm.append(took)
                else:
                    page.cold, page.kilobytes = took, len(answer.content) / 1000


def _cookie(values: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{key}={value}" for key, value in values.items())}


def count(wanted: list[Page], cookies: dict[str, dict[str, str]]) -> None:
    """Count the statements of each page, in a pass of its own."""
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    for page in wanted:
        client = Client(headers={"host": HOST})
        client.cookies.load(cookies[page.who])
        with CaptureQueriesContext(connection) as queries:
            client.get(page.address, secure=True)
        page.queries = len(queries)


def report(wanted: list[Page]) -> None:
    """Print the table; what is slower than wished is marked."""
    print("| page | cold | p50 | p95 | max | statements | kB |\n|---|---|---|---|---|---|---|")
    for page in wanted:
        figures = (page.cold, statistics.median(page.warm), page.p95, max(page.warm))
        mark = " (!)" if page.p95 > WISHED_MS else ""
        times = " | ".join(f"{figure:.0f}" for figure in figures)
        print(f"| {page.name}{mark} | {times} | {page.queries} | {page.kilobytes:.0f} |")


def main() -> None:
    """Run the benchmark and print its table; times are milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--state", type=Path, help="where the estate is kept")
    parser.add_argument("--only", default="", help="pages with these words in their name")
    options = parser.parse_args()
    folder = options.state or Path(tempfile.mkdtemp(prefix="bench-pages-"))
    try:
        with product(folder):
            wanted = [page for page in pages() if options.only in page.name]
            cookies = sessions({page.who for page in wanted})
            _close_connections()
            asyncio.run(measure(wanted, cookies, options.rounds))
            count(wanted, cookies)
            report(wanted)
    finally:
        if options.state is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

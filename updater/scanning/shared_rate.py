"""The token bucket that all workers share, in Redis; the only place that knows the redis package."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError

from updater.scanning.throttle import Bucket

Client = Redis

# Redis's own clock, so workers on several machines agree. The key lives as long as it matters.
_RESERVE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local interval = tonumber(ARGV[1])
local tolerance = tonumber(ARGV[2])
local paid_until = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = math.max(0, paid_until - tolerance - now)
local after = paid_until + interval
redis.call('SET', KEYS[1], string.format('%.6f', after), 'PX', math.ceil((after - now) * 1000) + 1000)
return tostring(wait)
"""


class RedisBucket:
    """A token bucket of one registry host."""

    def __init__(self, client: Client, host: str, *, rate: float, burst: float) -> None:
        self._script = client.register_script(_RESERVE)
        self._key = f"countersign:registry-rate:{host}"
        self._arguments = [f"{1 / rate:.6f}", f"{(burst - 1) / rate:.6f}"]

    async def reserve(self) -> float:
        """Take the next free moment and return the seconds until then.

        Raises:
            ConnectionError: Redis is away.
        """
        try:
            return float(await self._script(keys=[self._key], args=self._arguments))
        except (RedisError, OSError) as error:
            raise ConnectionError(str(error)) from error


@asynccontextmanager
async def connect(broker_url: str) -> AsyncIterator[Client | None]:
    """Open a connection to Redis, or None when the broker is something else."""
    url = _redis_url(broker_url)
    if url is None:
        yield None
        return
    client: Client = Redis.from_url(
        url, decode_responses=True, socket_timeout=1, socket_connect_timeout=1
    )
    try:
        yield client
    finally:
        await client.aclose()


def bucket(client: Client, host: str, *, rate: float, burst: float) -> Bucket:
    """Return the shared bucket of one host."""
    return RedisBucket(client, host, rate=rate, burst=burst)


def _redis_url(broker_url: str) -> str | None:
    parts = urlsplit(broker_url)
    if parts.scheme in ("redis", "rediss"):
        return broker_url
    if parts.scheme == "redis+socket":  # Celery's spelling for a Unix socket
        database = parse_qs(parts.query).get("virtual_host", ["0"])[0]
        return f"unix://{parts.path}?db={database}"
    return None

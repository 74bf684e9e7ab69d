"""What came of the repositories of one registry, and whether that means the registry itself is down."""

from collections.abc import Iterable
from datetime import timedelta

from updater.errors import TransientError, UpdaterError
from updater.integrations import registry
from updater.scanning import breaker, claiming, recording
from updater.scanning.planning import Job, ScanError, ScanSummary
from updater.scanning.tuning import Moment

TRIP_AFTER = 3  # failures in a row, of different repositories, mean that the registry is down


class HostReport:
    """Gathers outcomes; `tripped` is set once the registry should be left alone."""

    def __init__(self, host: str, now: Moment) -> None:
        self.summary = ScanSummary()
        self.tripped: TransientError | None = None
        self._host = host
        self._now = now
        self._troubled: dict[int, tuple[Job, TransientError]] = {}
        self._unfinished: list[int] = []
        self._answered = 0
        self._in_a_row = 0

    def took(self, job: Job, *, is_finished: bool) -> None:
        """Note a repository that was scanned, to its end or not."""
        self._answered += 1
        self._in_a_row = 0
        if not is_finished:
            self._unfinished.append(job.repository_id)

    def answered(self) -> None:
        """Note that the registry at least refused in good order."""
        self._answered += 1

    def is_trouble(self, job: Job, error: TransientError, *, is_probe: bool) -> bool:
        """Note a failure that may be the registry's; return whether to leave it alone from now on."""
        self._troubled[job.repository_id] = (job, error)
        self._in_a_row += 1
        is_limited = isinstance(error, registry.RateLimitedError)
        if self.tripped is None and (is_limited or is_probe or self._in_a_row >= TRIP_AFTER):
            self.tripped = error
            return True
        return False

    def fail(self, job: Job, error: Exception) -> None:
        """Write down a failure of this repository alone."""
        code = error.code if isinstance(error, UpdaterError) else "internal_error"
        message = str(error) if isinstance(error, UpdaterError) else "See the worker's log."
        self.summary.errors.append(ScanError(job.full_name, code, message))
        is_complete = not isinstance(error, registry.TagListIncompleteError)
        recording.record_failure(
            job.repository_id, (code, message), now=self._now, is_complete=is_complete
        )
        if isinstance(error, TransientError) and error.retry_after_seconds is not None:
            until = self._now.at + timedelta(seconds=error.retry_after_seconds)
            claiming.put_back([job.repository_id], until=until)

    def conclude(self, left: Iterable[Job], *, was_failing: bool) -> None:
        """Open or close the breaker, and give back what was not scanned; `left` was never begun."""
        left_ids = [job.repository_id for job in left]
        error = self.tripped or self._only_trouble()
        if error is not None:
            self._leave_alone(error, left_ids)
        else:
            for job, own in self._troubled.values():
                self.fail(job, own)
            claiming.put_back(left_ids, until=self._now.at)
            if was_failing and self._answered:
                breaker.close_breaker(self._host, by=self._now.by)
        claiming.put_back(self._unfinished, until=self._now.at)

    def _only_trouble(self) -> TransientError | None:
        if self._answered or not self._troubled:
            return None
        return next(error for _, error in self._troubled.values())

    def _leave_alone(self, error: TransientError, left_ids: list[int]) -> None:
        until = breaker.open_breaker(self._host, error, at=self._now.at, by=self._now.by)
        asked = list(self._troubled)
        recording.note_outage(asked, code=error.code, message=str(error))
        claiming.put_back([*asked, *left_ids], until=until)
        self.summary.errors.append(ScanError(self._host, error.code, str(error)))

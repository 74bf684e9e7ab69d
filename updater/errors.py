"""The two shared bases of anticipated errors; each concrete class stands beside the code that raises it.

UpdaterError            has a stable `code` and a sentence for the page
├─ TransientError       worth trying again; may say when (`retry_after_seconds`)
└─ PermanentError       a person must act
"""

from typing import ClassVar


class UpdaterError(Exception):
    """An anticipated error: `code` is stable for machines, `str(error)` is a sentence for people."""

    code: ClassVar[str] = "updater_error"


class TransientError(UpdaterError):
    """The same call may succeed later."""

    code = "transient"

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class PermanentError(UpdaterError):
    """Trying again changes nothing until a person acts."""

    code = "permanent"

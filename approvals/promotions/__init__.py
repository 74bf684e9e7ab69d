"""Stage 4: candidates become pending promotions, and open promotions follow what they are about.

`sweep` runs every few seconds and is safe to run twice: load the policy file, withdraw, expire, open, end holds,
approve what the policy approves alone, look again.

sweeping    the steps of one sweep, in order
closing     what is withdrawn as an orphan, and what expires
opening     which candidates are planned and opened, and what happens to one that cannot be prepared
drafting    what stands in a new promotion, and its first seal
inserting   how the row is written and recorded, and which older ones it supersedes
following   how open promotions follow the policy, the tag and what would be written
"""

from approvals.promotions.inserting import insert
from approvals.promotions.opening import planned
from approvals.promotions.sweeping import sweep

__all__ = ["insert", "planned", "sweep"]

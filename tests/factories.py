"""Plain functions that make things in a test's transaction. Add to them; what is there stays as it is."""

from datetime import UTC, datetime

from shared.domain.policy import parse
from shared.settings import settings
from shared.store import policies
from shared.store.engine import WriteTx
from shared.store.policies import InForce


def adopt_default_policy(tx: WriteTx) -> InForce:
    """Adopt the policy file that the settings name, unless this very text is in force."""
    file = settings().policy_file
    written = file.read_text()
    now = datetime.now(UTC)
    policies.adopt(tx, written, parse(written, file.name), now)
    return policies.in_force(tx, now)

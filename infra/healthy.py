"""Health of workers and beat, for containers: exits with 1 when work has been waiting that nobody does."""

import sys
from datetime import timedelta

from sqlalchemy import func, select

from shared.store.engine import reading
from shared.store.tables import delivery

PATIENCE = timedelta(minutes=2)


def waiting() -> int:
    """How many deliveries were due more than two minutes ago. Parked ones wait for a person and do not count."""
    late = select(func.count()).where(delivery.c.parked_at.is_(None), delivery.c.due_at < func.now() - PATIENCE)
    with reading() as tx:
        return int(tx.scalar(late) or 0)


def main() -> int:
    """0 when all is well, 1 when not."""
    if late := waiting():
        print(f"{late} deliveries have waited longer than {PATIENCE}.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the residents' service remembers: drafts, follows, messages to be sent, who released what for the public.

Tables and columns that the release before does not know, and checks that it keeps: it may go on beside this.
"""

from pathlib import Path

from alembic import op

from shared.settings import settings

revision = "0004"
down_revision = "0003"

_SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """A sighting of neither report nor detection is a passer-by's, who said "it is this one" of a defect."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(_SQL.read_text().replace("{grid}", str(settings().grid_epsg)))

"""The spine: place, reports, detections, defects, works, warranties, the record, deliveries and the feed."""

from pathlib import Path

from alembic import op
from sqlalchemy import text

from shared.settings import settings

revision = "0001"
down_revision = None

_SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Make the tables on the grid that ROADMEND_GRID_EPSG names; it cannot be changed later."""
    connection = op.get_bind()
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
    # Straight to the driver and without parameters, so that a per cent sign in the file means itself.
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(_SQL.read_text().replace("{grid}", str(settings().grid_epsg)))

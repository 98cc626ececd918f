"""Forget the read model, so that it is made anew from what fusion sends again."""

from pathlib import Path

from services.leads import migrations
from services.leads.rebuild_store import empty
from shared.contracts.topics import LEADS_GROUP, TOPICS
from shared.database import migrate, open_database
from shared.log import open_log
from shared.settings import Settings


def rebuild(settings: Settings) -> None:
    """Empty the read model and read the topics from the start; raises ``Misconfigured`` while a process runs.

    The offsets go first: a crash between leaves a picture that is read again, never one that stays empty.
    """
    topics = open_log(settings.log_url)
    db = open_database(settings.leads_database)
    try:
        topics.ensure(TOPICS)
        migrate(db, Path(migrations.__file__).parent)
        topics.forget(LEADS_GROUP)
        with db.transaction() as conn:
            empty(conn)
    finally:
        db.close()
        topics.close()

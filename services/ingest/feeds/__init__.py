"""The feeds: one file each, one line each in ``FEEDS``.

To add a feed, write a file like ``epic.py``, put an example of each of its types into ``examples/``, and
add its line here; its schemas, its OpenAPI document and the tests come with it.
"""

from typing import Final

from services.ingest.feeds import bcsc, epic, ofc, sod
from services.ingest.feeds.base import Feed

FEEDS: Final[dict[str, Feed]] = {
    feed.code: feed
    for feed in (
        sod.FEED,
        ofc.FEED,
        epic.FEED,
        bcsc.FEED,
    )
}
"""Every feed by its code."""

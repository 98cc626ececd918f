"""The store: what the rest of the leads service asks of its database, by subject in the files beside it."""

from services.leads.due_store import Due, backlog, done, due, mark
from services.leads.picture_store import Picture, picture
from services.leads.sight_store import combinations, note_clearance, sight
from services.leads.view_store import Evaluation, evaluations, view

__all__ = [
    "Due", "Evaluation", "Picture", "backlog", "combinations", "done", "due", "evaluations", "mark",
    "note_clearance", "picture", "sight", "view",
]  # fmt: skip

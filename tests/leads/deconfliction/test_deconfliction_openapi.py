"""The OpenAPI document says what the deconfliction calls really answer, with examples that hold."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from services.leads.deconfliction import shapes
from services.leads.deconfliction.submissions import Answer
from tests.leads.deconfliction.counter import Counter, target
from tests.leads.deconfliction.house import A, B, C, House

T = "/v1/deconfliction/targets"


@pytest.fixture
def counter(house: House) -> Counter:
    """Two agencies with a match, and a possible one that waits."""
    made = Counter(house)
    for agency, name in ((A, "Jon Smyth"), (B, "John Smith")):
        made.client(agency).post(T, json=target(f"{agency}-1"))
        made.client(agency).post(T, json=target(f"{agency}-2", identifiers=[], names=[{"full_name": name}]))
    house.settle()
    return made


def holds(shape: Any, answer: Any) -> None:
    """The answer has this shape, and no field beyond it."""
    TypeAdapter(shape).validate_json(answer if isinstance(answer, bytes) else json.dumps(answer))


def test_every_call_answers_what_its_description_says(counter: Counter) -> None:
    ana = counter.client(A)
    boss, officer = counter.client(A, "supervisor"), counter.client(C, "watch_officer")
    inbox = ana.get("/v1/notices")
    holds(shapes.NoticeList, inbox.content)
    (notice,) = inbox.json()["items"]
    assert notice["created_at"].endswith("Z")
    holds(shapes.NoticeShown, ana.post(f"/v1/notices/{notice['notice_id']}/acknowledge").content)
    holds(shapes.ConflictShown, ana.get(f"/v1/conflicts/{notice['conflict_id']}").content)
    holds(shapes.SubmissionShown, ana.get(f"/v1/deconfliction/{notice['number']}").content)
    holds(shapes.QueueList, officer.get("/v1/deconfliction/queue").content)
    holds(shapes.Statistics, boss.get("/v1/deconfliction/statistics").content)
    lines = boss.post(f"{T}:bulk", content=json.dumps(target("a3")) + "\n{}\nno JSON").content.splitlines()
    for line, shape in zip(lines, (shapes.Accepted, shapes.Refused, shapes.Refused), strict=True):
        holds(shape, line)
    channel = boss.post("/v1/channels", json={"channel": "EMAIL", "address": "duty@agency.example"})
    holds(shapes.ChannelMade, channel.content)
    holds(shapes.ChannelList, boss.get("/v1/channels").content)
    settled = ana.post(f"/v1/conflicts/{notice['conflict_id']}/resolve", json={"outcome": "JOINT"})
    holds(shapes.ConflictShown, settled.content)
    holds(shapes.SubmissionShown, ana.post(f"/v1/deconfliction/{notice['number']}/withdraw").content)
    holds(Answer, ana.post(T, json=target("a4")).content)


def test_no_call_is_left_without_a_schema_and_every_example_holds(counter: Counter) -> None:
    document = counter.client(A).get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "deconfliction" not in operation["tags"] or path.endswith(":stream"):
                continue
            for status, answer in operation["responses"].items():
                if status.startswith("2") and status != "204":
                    ((_, content),) = answer["content"].items()
                    assert content["schema"], (method, path)
    assert set(document["paths"][f"{T}:bulk"]["post"]["responses"]["200"]["content"]) == {
        "application/x-ndjson"
    }
    stream = document["paths"]["/v1/notices:stream"]["get"]["responses"]["200"]["content"]
    assert set(stream) == {"text/event-stream"}
    examples = 0
    for shape in vars(shapes).values():
        if isinstance(shape, type) and shape.__module__ == shapes.__name__:
            for example in shape.model_json_schema().get("examples", ()):
                holds(shape, example)
                examples += 1
    assert examples >= 9


def test_who_means_an_older_version_is_told(counter: Counter) -> None:
    ana, bob = counter.client(A), counter.client(B)
    (notice,) = ana.get("/v1/notices").json()["items"]
    path = f"/v1/conflicts/{notice['conflict_id']}"
    tag = ana.get(path).headers["ETag"]
    assert ana.get(path, headers={"If-None-Match": tag}).status_code == 304
    bob.post(f"/v1/notices/{bob.get('/v1/notices').json()['items'][0]['notice_id']}/acknowledge")
    stale = ana.post(f"{path}/resolve", json={"outcome": "JOINT"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    assert ana.get(path).json()["state"] == "ACK_ONE"
    number = f"/v1/deconfliction/{notice['number']}"
    assert ana.post(f"{number}/withdraw", headers={"If-Match": '"old"'}).status_code == 412
    fresh = ana.get(number).headers["ETag"]
    assert ana.post(f"{number}/withdraw", headers={"If-Match": fresh}).json()["state"] == "WITHDRAWN"

"""Routes of the two or three calls that come by the hundred a second: FastAPI describes them, we call them.

Solving a route's dependencies takes FastAPI longer than checking a submission does.
"""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.responses import Response

from shared.contracts.model import Contract
from shared.problems import MEDIA
from shared.web import identify, known_parameters

Model = TypeVar("Model", bound=Contract)


def read(model: type[Model], raw: bytes) -> Model:
    """The body; raises FastAPI's own error, which names every field that is to blame."""
    try:
        return model.model_validate(orjson.loads(raw))
    except orjson.JSONDecodeError as error:
        where = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "not JSON"}
        raise RequestValidationError([where | {"ctx": {"error": error.msg}}]) from None
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None


class Direct(APIRoute):
    """A route whose async handler takes who asks and the body, ``(who, body)``, and nothing else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The way to the handler: token, parameters, media type, body."""
        assert self.body_field is not None
        model: type[Contract] = self.body_field.field_info.annotation  # type: ignore[assignment] # a body is a contract

        async def handle(request: Request) -> Response:
            who = await identify(request)
            await known_parameters(request)
            if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                raise MEDIA.because("Send JSON, as `Content-Type: application/json`.")
            answer: Response = await self.endpoint(who, read(model, await request.body()))
            return answer

        return handle

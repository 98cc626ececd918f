"""The strict, frozen model that every contract builds on."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A message or a part of one: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    def to_json(self) -> bytes:
        """UTF-8 JSON without the fields that hold their default; the defaults of a version never change."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_defaults=True)

    @classmethod
    def from_json(cls, raw: bytes | str) -> Self:
        """Parse and validate JSON; raises ``pydantic.ValidationError``."""
        return cls.model_validate_json(raw)

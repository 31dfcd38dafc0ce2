"""What settings are made of."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


def _three_letters(code: str) -> str:
    if not re.fullmatch("[A-Z]{3}", code):
        raise ValueError(f"{code} is no code of ISO 4217, such as EUR")
    return code


def _in_quotes(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"YAML takes {value} for something else than text, put it in quotes")
    return value


Option = Annotated[str, BeforeValidator(_in_quotes)]
Text = Annotated[str, AfterValidator(_not_blank)]
CurrencyCode = Annotated[Text, AfterValidator(_three_letters)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_LARGEST = 2**31 - 1  # of Spark's int
AtLeastOne = Annotated[int, Field(ge=1, le=_LARGEST)]
NotNegative = Annotated[int, Field(ge=0, le=_LARGEST)]
Days = Annotated[int, Field(ge=0, le=36_500)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]
Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Model(BaseModel):
    """Frozen, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def without_repetition(values: tuple[str, ...]) -> tuple[str, ...]:
    """The values, if each is there once.

    Raises:
        ValueError: If not.
    """
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"given twice: {', '.join(repeated)}")
    return values

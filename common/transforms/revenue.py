"""What counts as revenue. Defined here and nowhere else.

The amount of a line is quantity * unit price - discount; tax and shipping are apart. Gross revenue counts the lines
that the shop's settings say are sold (paid, shipped, delivered, returned) with a quantity above zero. A returned line,
be it the sale itself in that state or a later line with a negative quantity, is taken off again: net is gross minus
returns. Cancelled and pending lines count in neither.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from common.settings import Statuses

MONEY = "decimal(18,2)"
_ZERO = "0.00"


def zero() -> Column:
    """No money."""
    return F.lit(_ZERO).cast(MONEY)


def line_amount() -> Column:
    """Quantity * unit price - discount, negative for a negative quantity."""
    discount = F.coalesce("discount_amount", zero())
    return (F.col("quantity") * F.col("unit_price") - discount).cast(MONEY)


def is_sale(statuses: Statuses) -> Column:
    """A line that counts in gross revenue; never null."""
    counts = F.col("status").isin(*statuses.gross) & (F.col("quantity") > 0)
    return F.coalesce(counts, F.lit(False))


def is_return(statuses: Statuses) -> Column:
    """A line that is taken off in net revenue; never null."""
    return F.coalesce(F.col("status").isin(*statuses.returned), F.lit(False))


def gross_amount(statuses: Statuses) -> Column:
    """What a line adds to gross revenue."""
    return F.when(is_sale(statuses), line_amount()).otherwise(zero()).cast(MONEY)


def return_amount(statuses: Statuses) -> Column:
    """What a line takes off, as a positive amount."""
    return F.when(is_return(statuses), F.abs(line_amount())).otherwise(zero()).cast(MONEY)


def net_amount(statuses: Statuses) -> Column:
    """Gross minus returns of one line."""
    return (gross_amount(statuses) - return_amount(statuses)).cast(MONEY)


def net_quantity(statuses: Statuses) -> Column:
    """Units sold minus units that came back, of one line."""
    sold = F.when(is_sale(statuses), F.col("quantity")).otherwise(F.lit(0))
    came_back = F.when(is_return(statuses), F.abs("quantity")).otherwise(F.lit(0))
    return sold - came_back


def margin_amount(statuses: Statuses, unit_cost: Column) -> Column:
    """Net revenue minus the cost of the units that stayed sold; null where the cost is not known."""
    return (net_amount(statuses) - net_quantity(statuses) * unit_cost).cast(MONEY)

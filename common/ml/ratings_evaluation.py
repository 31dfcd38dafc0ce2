"""How well stars are foretold, against a model of biases, on later ratings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from common.ml.baselines import BiasModel
from common.ml.ranking import Floats
from common.ml.recommender import Index


def rating_figures(test: pd.DataFrame, bias: BiasModel, index: Index) -> dict[str, Any]:
    """RMSE and MAE of the model and of the bias model, on all later ratings and apart for known and new ones.

    Args:
        test: user_id, product_id, rating, and `prediction`, NaN for a customer or product that training has not seen;
            there the bias model stands in, with what it knows of the other one.
        bias: The baseline.
        index: Of users and items.

    Returns:
        rows, rmse, mae, bias_rmse and bias_mae of all; `warm`, `new_customers` (who had rated nothing, of products that
        somebody had rated) and `new_products` (that nobody had rated), each with rows, rmse and mae, whose rows add up
        to all; `mean_only` (rmse, mae).
    """
    users, items = index.places(test["user_id"], index.users), index.places(test["product_id"], index.items)
    true = test["rating"].to_numpy(dtype=np.float64)
    plain = bias.predict(users, items)
    said = test["prediction"].to_numpy(dtype=np.float64)
    warm = ~np.isnan(said)
    mixed = np.where(warm, said, plain)
    is_rated = bias.rates_item(items)
    groups = {"warm": warm, "new_customers": ~warm & is_rated, "new_products": ~warm & ~is_rated}
    return {
        "rows": len(true),
        **_errors("", true, mixed),
        **_errors("bias_", true, plain),
        **{name: {"rows": int(rows.sum()), **_errors("", true[rows], mixed[rows])} for name, rows in groups.items()},
        "mean_only": _errors("", true, np.full(len(true), bias.mean)),
    }


def _errors(prefix: str, true: Floats, said: Floats) -> dict[str, float | None]:
    if not len(true):
        return {f"{prefix}rmse": None, f"{prefix}mae": None}
    off = said - true
    return {f"{prefix}rmse": float(np.sqrt((off**2).mean())), f"{prefix}mae": float(np.abs(off).mean())}

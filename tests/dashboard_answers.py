"""The questions of the dashboards a second time: DuckDB's SQL, written from the question, on the facts where it can be.

Where the dashboards ask prepared aggregates, these go back to the lines and events; where they round a decimal
quotient, these divide whole numbers of cents. An answer has its query's columns and rows, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

# Rounded once, half away from zero, from whole numbers, exactly.
MACROS = """
CREATE MACRO cents(amount) AS CAST(amount * 100 AS HUGEINT);
CREATE MACRO rounded(n, d, unit) AS CASE WHEN d <> 0 THEN
    CAST(sign(n) * sign(d) * ((2 * abs(n) * unit + abs(d)) // (2 * abs(d))) AS DECIMAL(20, 0)) END;
CREATE MACRO q4(n, d) AS CAST(rounded(CAST(n AS HUGEINT), CAST(d AS HUGEINT), 10000) * 0.0001 AS DECIMAL(24, 4));
CREATE MACRO q1(n, d) AS CAST(rounded(CAST(n AS HUGEINT), CAST(d AS HUGEINT), 10) * 0.1 AS DECIMAL(24, 1));
CREATE MACRO each_of(amount, n) AS
    CAST(rounded(cents(amount), CAST(n AS HUGEINT), 1) * 0.01 AS DECIMAL(24, 2));
CREATE MACRO share(part, whole) AS q4(cents(part), cents(whole));
CREATE MACRO week_of(day) AS CAST(day - CAST(isodow(day) - 1 AS INTEGER) AS DATE);
CREATE MACRO month_of(day) AS CAST(make_date(year(day), month(day), 1) AS DATE);
CREATE MACRO local(instant, zone) AS instant AT TIME ZONE zone;
CREATE MACRO known(amount) AS coalesce(amount, 0);
"""

# Each sold line with what the customer and the product were then, by the intervals of the dimensions.
_LINES = """
lines AS (
    SELECT t.*, u.country AS user_country, p.category AS product_category
    FROM fact_transactions t
    LEFT JOIN dim_users u
        ON u.user_id = t.user_id AND u.valid_from <= t.transaction_ts AND t.transaction_ts < u.valid_to
    LEFT JOIN dim_products p
        ON p.product_id = t.product_id AND p.valid_from <= t.transaction_ts AND t.transaction_ts < p.valid_to
)"""
_TODAY = """
today AS (
    SELECT product_id, product_name, category, brand, stock_quantity, is_active FROM dim_products WHERE is_current
)"""
_NAMED = """coalesce(c.product_name, '(not in the current catalogue)'), coalesce(c.category, 'unknown')"""
# Whether the data covers as many days before the period as the period has.
_LINES_BEFORE = """(SELECT date_diff('day', min(transaction_date), $from_date) FROM fact_transactions)
    > date_diff('day', $from_date, $to_date)"""
_VISITS_BEFORE = """(SELECT date_diff('day', min(session_date), $from_date) FROM lake.sessions)
    > date_diff('day', $from_date, $to_date)"""
# Net revenue of the lines whose margin is known, each of which says what it earned.
_COSTED = "sum(CASE WHEN margin_amount IS NOT NULL THEN gross_amount - return_amount END)"
_PERIOD_LINES = "transaction_date BETWEEN $from_date AND $to_date"
_PERIOD_VISITS = "session_date BETWEEN $from_date AND $to_date"


def _compared(dimension: str, *, with_units: bool, with_order_value: bool, with_share: bool) -> str:
    """Revenue by an attribute of the line's customer or product, and of as many days before."""
    return f"""
    WITH {_LINES}, named AS (
        SELECT coalesce({dimension}, 'unknown') AS what, *,
               transaction_date >= $from_date AS is_now
        FROM lines
        WHERE transaction_date > $from_date - CAST(date_diff('day', $from_date, $to_date) + 2 AS INTEGER)
          AND transaction_date <= $to_date
    ), figures AS (
        SELECT what,
               count(DISTINCT (transaction_date, order_id)) FILTER (is_sale AND is_now) AS orders,
               known(sum(quantity) FILTER (is_sale AND is_now)) AS units,
               known(sum(gross_amount) FILTER (is_now)) AS gross,
               known(sum(return_amount) FILTER (is_now)) AS returned,
               known(sum(gross_amount - return_amount) FILTER (is_now)) AS net,
               CASE WHEN {_LINES_BEFORE} THEN
                   known(sum(gross_amount - return_amount) FILTER (NOT is_now)) END AS net_before,
               sum(margin_amount) FILTER (is_now) AS margin,
               {_COSTED} FILTER (is_now) AS costed
        FROM named GROUP BY what
    )
    SELECT what, orders, {"units," if with_units else ""} gross, returned, net,
           share(net, (SELECT sum(net) FROM figures)), net_before, share(net - net_before, net_before),
           {"each_of(gross, orders)," if with_order_value else ""} margin
           {", share(margin, costed)" if with_share else ""}
    FROM figures ORDER BY net DESC, what"""


def _products(chosen: str, order: str) -> str:
    return f"""
    WITH {_TODAY}, figures AS (
        SELECT product_id,
               count(DISTINCT order_id) FILTER (is_sale) AS orders,
               known(sum(quantity) FILTER (is_sale)) AS units,
               known(sum(abs(quantity)) FILTER (is_return)) AS came_back,
               sum(gross_amount) AS gross, sum(return_amount) AS returned,
               sum(gross_amount) - sum(return_amount) AS net, sum(margin_amount) AS margin, {_COSTED} AS costed,
               sum(gross_amount) FILTER (is_sale) AS sold_for
        FROM fact_transactions WHERE {_PERIOD_LINES} GROUP BY product_id
    )
    SELECT f.product_id, {_NAMED}, {chosen}
    FROM figures f LEFT JOIN today c USING (product_id)
    WHERE units > 0 ORDER BY {order}, f.product_id LIMIT 25"""


def _by_visits(dimension: str, *, extra: str, order: str) -> str:
    return f"""
    SELECT {dimension}, count(*), count(reached_view_at), count(reached_cart_at), count(reached_checkout_at),
           count(reached_purchase_at), q4(count(reached_purchase_at), count(*)), {extra}
    FROM lake.sessions WHERE {_PERIOD_VISITS}
    GROUP BY {dimension.replace("coalesce(device_type, 'unknown')", "1")} ORDER BY {order}"""


def _by_carts(dimension: str, extra: str, order: str, emptied: str = "") -> str:
    return f"""
    SELECT {dimension} AS what, count(*), count(*) FILTER (is_abandoned), {emptied}
           q4(count(*) FILTER (is_abandoned), count(*)), known(sum(cart_value) FILTER (is_abandoned)) {extra}
    FROM lake.sessions WHERE carts > 0 AND {_PERIOD_VISITS} GROUP BY what ORDER BY {order}"""


_DAYS = """days AS (
    SELECT CAST(day AS DATE) AS day FROM generate_series($from_date, $to_date, INTERVAL 1 DAY) AS made(day)
)"""
_COHORTS = """
buyers AS (
    SELECT u.user_id, month_of(min(t.transaction_date)) AS cohort
    FROM agg_user_metrics u JOIN fact_transactions t USING (user_id) WHERE t.is_sale GROUP BY u.user_id
), grid AS (
    SELECT cohort, customers, month
    FROM (SELECT cohort, count(*) AS customers FROM buyers GROUP BY cohort),
         (SELECT DISTINCT month_of(transaction_date) AS month FROM fact_transactions WHERE is_sale)
    WHERE month >= cohort
)"""
# Whether the cohort is the first one, and whether there is data for each end of the month.
_MONTH_FLAGS = """grid.cohort = (SELECT month_of(min(transaction_date)) FROM fact_transactions),
           grid.month BETWEEN (SELECT min(transaction_date) FROM fact_transactions) AND $to_date
               AND last_day(grid.month) <= $to_date"""

ANSWERS: dict[str, str] = {
    # -- revenue
    "revenue_summary": f"""
    WITH picked AS (
        SELECT *, transaction_date BETWEEN $from_date AND $to_date AS is_now
        FROM fact_transactions
        WHERE transaction_date BETWEEN $from_date - CAST(date_diff('day', $from_date, $to_date) + 1 AS INTEGER)
          AND $to_date
    ), f AS (
        SELECT known(sum(net_amount) FILTER (is_now)) AS net, known(sum(net_amount) FILTER (NOT is_now)) AS net0,
               known(sum(gross_amount) FILTER (is_now)) AS gross,
               known(sum(gross_amount) FILTER (NOT is_now)) AS gross0,
               known(sum(return_amount) FILTER (is_now)) AS back,
               known(sum(return_amount) FILTER (NOT is_now)) AS back0,
               count(DISTINCT order_id) FILTER (is_sale AND is_now) AS orders,
               count(DISTINCT order_id) FILTER (is_sale AND NOT is_now) AS orders0,
               count(DISTINCT user_id) FILTER (is_sale AND is_now) AS people,
               count(DISTINCT user_id) FILTER (is_sale AND NOT is_now) AS people0,
               sum(margin_amount) FILTER (is_now) AS margin, sum(margin_amount) FILTER (NOT is_now) AS margin0,
               {_COSTED} FILTER (is_now) AS costed
        FROM picked
    ), b AS (
        SELECT net0, gross0, back0, orders0, people0, margin0 FROM f WHERE {_LINES_BEFORE}
    )
    SELECT $from_date, $to_date, f.net, b.net0, share(f.net - b.net0, b.net0), f.gross, b.gross0,
           share(f.gross - b.gross0, b.gross0), f.back, b.back0, f.orders, b.orders0,
           q4(f.orders - b.orders0, b.orders0), f.people, b.people0, q4(f.people - b.people0, b.people0),
           each_of(f.gross, f.orders), each_of(b.gross0, b.orders0), f.margin, b.margin0, share(f.margin, f.costed)
    FROM f LEFT JOIN b ON true""",
    "hourly_revenue": f"""
    SELECT time_bucket(INTERVAL 1 HOUR, transaction_ts) AS hour, sum(total_amount), count(*),
           count(DISTINCT order_id) FILTER (is_sale), sum(gross_amount), sum(gross_amount) - sum(return_amount),
           count(*) FILTER (status = 'pending')
    FROM fact_transactions WHERE {_PERIOD_LINES} GROUP BY hour ORDER BY hour DESC""",
    "daily_revenue": f"""
    WITH {_DAYS}, per_day AS (
        SELECT transaction_date AS day, sum(gross_amount) AS gross, sum(return_amount) AS back,
               sum(net_amount) AS net, sum(margin_amount) AS margin, count(*) FILTER (status = 'pending') AS pending
        FROM fact_transactions GROUP BY day
    ), placed AS (
        SELECT transaction_date AS day, coalesce(u.country, 'unknown') AS country, order_id
        FROM fact_transactions t
        LEFT JOIN dim_users u
            ON u.user_id = t.user_id AND u.valid_from <= t.transaction_ts AND t.transaction_ts < u.valid_to
        WHERE is_sale
    ), ordered AS (SELECT day, count(DISTINCT (country, order_id)) AS orders FROM placed GROUP BY day)
    SELECT days.day, known(orders), known(gross), known(back), known(net), margin, each_of(gross, orders),
           CASE WHEN days.day - 6 >= (SELECT min(transaction_date) FROM fact_transactions) THEN
               each_of(known((SELECT sum(s.net) FROM per_day s WHERE s.day BETWEEN days.day - 6 AND days.day)), 7) END,
           known(pending)
    FROM days LEFT JOIN per_day USING (day) LEFT JOIN ordered USING (day) ORDER BY days.day""",
    "weekly_revenue": f"""
    WITH {_LINES}, weeks AS (
        SELECT week_of(transaction_date) AS week, count(DISTINCT transaction_date) AS days,
               count(DISTINCT (transaction_date, coalesce(user_country, 'unknown'), order_id))
                   FILTER (is_sale) AS orders,
               sum(gross_amount) AS gross, sum(return_amount) AS back, sum(net_amount) AS net,
               sum(margin_amount) AS margin
        FROM lines WHERE {_PERIOD_LINES} GROUP BY week
    )
    SELECT week, days, orders, gross, back, net, margin,
           CASE WHEN week + 6 <= $to_date AND week - 7 >= greatest($from_date,
                     (SELECT min(transaction_date) FROM fact_transactions)) THEN
               (SELECT share(weeks.net - b.net, b.net) FROM weeks b WHERE b.week = weeks.week - 7) END
    FROM weeks ORDER BY week""",
    "monthly_margin": f"""
    WITH {_LINES}, months AS (
        SELECT month_of(transaction_date) AS month,
               count(DISTINCT (transaction_date, coalesce(user_country, 'unknown'), order_id))
                   FILTER (is_sale) AS orders,
               known(sum(quantity) FILTER (is_sale)) AS units, sum(gross_amount) AS gross,
               known(sum(discount_amount) FILTER (is_sale)) AS discounts, sum(return_amount) AS back,
               sum(net_amount) AS net, sum(margin_amount) AS margin, {_COSTED} AS costed
        FROM lines GROUP BY month
    )
    SELECT month, orders, units, gross, discounts, back, net, margin, share(margin, costed), share(back, gross)
    FROM months ORDER BY month""",
    "revenue_by_category": _compared("product_category", with_units=True, with_order_value=False, with_share=True),
    "revenue_by_country": _compared("user_country", with_units=False, with_order_value=True, with_share=False),
    "revenue_by_payment": f"""
    WITH figures AS (
        SELECT coalesce(payment_method, 'unknown') AS method, count(DISTINCT order_id) FILTER (is_sale) AS orders,
               sum(gross_amount) AS gross, sum(return_amount) AS back, sum(net_amount) AS net
        FROM fact_transactions WHERE {_PERIOD_LINES} GROUP BY method
    )
    SELECT method, orders, gross, back, net, share(net, (SELECT sum(net) FROM figures)), each_of(gross, orders),
           share(back, gross)
    FROM figures ORDER BY net DESC, method""",
    "revenue_by_weekday_hour": f"""
    SELECT isodow(transaction_date) AS weekday, hour(local(transaction_ts, $time_zone)) AS hour,
           count(DISTINCT order_id) FILTER (is_sale), sum(gross_amount), sum(gross_amount - return_amount)
    FROM fact_transactions WHERE {_PERIOD_LINES} GROUP BY weekday, hour ORDER BY weekday, hour""",
    # -- product_performance
    "top_products": _products(
        """coalesce(c.brand, 'unknown'), orders, units, gross, returned, net,
           share(net, (SELECT sum(net_amount) FROM fact_transactions WHERE transaction_date BETWEEN $from_date AND
                       $to_date)), margin, share(margin, costed)""",
        "net DESC",
    ),
    "bottom_products": _products(
        "coalesce(c.brand, 'unknown'), units, came_back, gross, returned, net, margin", "net ASC"
    ),
    "top_products_by_units": _products("units, orders, sold_for, each_of(sold_for, units)", "units DESC"),
    "products_by_margin": f"""
    WITH {_TODAY}, figures AS (
        SELECT product_id, known(sum(quantity) FILTER (is_sale)) AS units, sum(net_amount) AS net,
               sum(margin_amount) AS margin, {_COSTED} AS costed
        FROM fact_transactions WHERE {_PERIOD_LINES} GROUP BY product_id
    ), earning AS (SELECT * FROM figures WHERE units > 0 AND margin IS NOT NULL),
    ends AS (
        (SELECT 'highest' AS ranking, * FROM earning ORDER BY margin DESC, product_id LIMIT 15)
        UNION ALL (SELECT 'lowest', * FROM earning ORDER BY margin, product_id LIMIT 15)
    ), placed AS (
        SELECT *, row_number() OVER (PARTITION BY ranking
            ORDER BY CASE WHEN ranking = 'highest' THEN -margin ELSE margin END, product_id) AS place
        FROM ends
    )
    SELECT ranking, place, f.product_id, {_NAMED}, units, net, margin, share(margin, costed)
    FROM placed f LEFT JOIN today c USING (product_id) ORDER BY ranking, place""",
    "view_to_purchase": f"""
    WITH {_TODAY}, seen AS (
        SELECT DISTINCT product_id, session_id FROM fact_clickstream
        WHERE event_type = 'product_view' AND product_id IS NOT NULL
          AND NOT is_bot AND near_duplicate_of IS NULL AND event_date BETWEEN $from_date AND $to_date
    ), outcome AS (
        SELECT product_id, EXISTS (
            SELECT 1 FROM fact_transactions t WHERE t.session_id = seen.session_id AND t.product_id = seen.product_id
              AND t.quantity > 0 AND {_PERIOD_LINES}) AS bought
        FROM seen
    ), counted AS (
        SELECT product_id, count(*) AS seen_by, count(*) FILTER (bought) AS bought_by FROM outcome GROUP BY product_id
    )
    SELECT f.product_id, {_NAMED}, seen_by, bought_by, q4(bought_by, seen_by)
    FROM counted f LEFT JOIN today c USING (product_id) ORDER BY seen_by DESC, f.product_id LIMIT 50""",
    "discount_return": f"""
    WITH sold AS (
        SELECT *, quantity * unit_price AS list_value, known(discount_amount) AS given FROM fact_transactions
        WHERE is_sale AND {_PERIOD_LINES}
    ), banded AS (
        SELECT *, CASE WHEN given <= 0 THEN 0 WHEN 100 * given <= 5 * list_value THEN 1
            WHEN 100 * given <= 10 * list_value THEN 2 WHEN 100 * given <= 20 * list_value THEN 3 ELSE 4 END AS band
        FROM sold
    )
    SELECT band, ['none', 'up to 5 %', 'over 5 % to 10 %', 'over 10 % to 20 %', 'over 20 %'][band + 1], count(*),
           sum(quantity), q4(sum(quantity), count(*)), sum(list_value), sum(given), sum(gross_amount),
           sum(margin_amount), share(sum(margin_amount), {_COSTED}),
           share(sum(margin_amount), sum(given) FILTER (margin_amount IS NOT NULL))
    FROM banded GROUP BY band ORDER BY band""",
    "stock_cover": f"""
    WITH {_TODAY}, {_DAYS}, figures AS (
        SELECT product_id, sum(CASE WHEN is_return THEN -abs(quantity) WHEN is_sale THEN quantity ELSE 0 END)
               + known(sum(quantity) FILTER (is_sale AND is_return)) AS units
        FROM fact_transactions WHERE {_PERIOD_LINES} GROUP BY product_id
    ), spread AS (
        SELECT *, (SELECT count(*) FROM days WHERE day >= (SELECT min(transaction_date) FROM fact_transactions)) AS n
        FROM today JOIN figures USING (product_id)
        WHERE is_active AND stock_quantity >= 0 AND units > 0
    )
    SELECT product_id, coalesce(product_name, 'unknown'), coalesce(category, 'unknown'), stock_quantity, units,
           q4(units, n), q1(stock_quantity * n, units) AS cover
    FROM spread ORDER BY cover, units DESC, product_id LIMIT 50""",
    # -- customer_segmentation
    "rfm_segments": """
    WITH named AS (
        SELECT *, recency_score AS r, frequency_score AS f, monetary_score AS m FROM agg_user_metrics
    ), kinds AS (
        SELECT *, CASE WHEN r IS NULL THEN 'never bought'
            WHEN least(r, f, m) >= 4 THEN 'champions'
            WHEN r >= 3 AND f >= 4 THEN 'loyal'
            WHEN r >= 3 AND m >= 4 THEN 'big spenders'
            WHEN r >= 4 THEN 'recent'
            WHEN r >= 3 THEN 'fading'
            WHEN f >= 4 AND m >= 4 THEN 'valuable but away'
            WHEN r >= 2 THEN 'away'
            ELSE 'lost' END AS kind
        FROM named
    )
    SELECT list_position(['champions', 'loyal', 'big spenders', 'recent', 'fading', 'valuable but away', 'away', 'lost',
                          'never bought'], kind) AS place,
           kind, count(*), q4(count(*), sum(count(*)) OVER ()), sum(orders), sum(net_amount),
           share(sum(net_amount), sum(sum(net_amount)) OVER ()), each_of(sum(net_amount), count(*)),
           q1(known(sum(recency_days)), count(recency_days))
    FROM kinds GROUP BY kind ORDER BY place""",
    "rfm_matrix": """
    SELECT recency_score, frequency_score, count(*), sum(orders), sum(net_amount), each_of(sum(net_amount), count(*))
    FROM agg_user_metrics WHERE orders > 0 GROUP BY ALL ORDER BY ALL""",
    "cohort_retention": f"""
    WITH {_COHORTS}, seen AS (
        SELECT cohort, month_of(transaction_date) AS month, count(DISTINCT user_id) AS active
        FROM fact_transactions JOIN buyers USING (user_id) WHERE is_sale GROUP BY ALL
    )
    SELECT cohort, date_diff('month', cohort, month) AS since, {_MONTH_FLAGS}, customers, known(active),
           q4(known(active), customers)
    FROM grid LEFT JOIN seen USING (cohort, month) ORDER BY cohort, since""",
    "cohort_value": f"""
    WITH {_COHORTS}, spent AS (
        SELECT cohort, month_of(transaction_date) AS month, sum(net_amount) AS net
        FROM buyers JOIN fact_transactions USING (user_id) GROUP BY ALL
    )
    SELECT grid.cohort, date_diff('month', grid.cohort, grid.month) AS since, {_MONTH_FLAGS},
           customers,
           known(net), each_of(known((SELECT sum(s.net) FROM spent s
               WHERE s.cohort = grid.cohort AND s.month <= grid.month AND s.month >= grid.cohort)), customers)
    FROM grid LEFT JOIN spent ON spent.cohort = grid.cohort AND spent.month = grid.month ORDER BY grid.cohort, since""",
    "lifetime_value": """
    WITH worth AS (
        SELECT m.user_id, sum(t.net_amount) AS value
        FROM agg_user_metrics m JOIN fact_transactions t USING (user_id)
        GROUP BY m.user_id HAVING count(*) FILTER (is_sale) > 0
    ), placed AS (
        SELECT value, (SELECT count(*) FROM worth) AS n, count(*) OVER (ORDER BY value DESC
            RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP) AS better
        FROM worth
    ), tenths AS (SELECT better * 10 // n + 1 AS tenth, value FROM placed)
    SELECT tenth, count(*), min(value), max(value), sum(value), share(sum(value), sum(sum(value)) OVER ()),
           share((SELECT sum(o.value) FROM tenths o WHERE o.tenth <= tenths.tenth), sum(sum(value)) OVER ()),
           each_of(sum(value), count(*))
    FROM tenths GROUP BY tenth ORDER BY tenth""",
    "new_and_returning": f"""
    WITH firsts AS (
        SELECT user_id, min(transaction_date) AS first FROM fact_transactions
        WHERE is_sale AND user_id IN (SELECT user_id FROM agg_user_metrics) GROUP BY user_id
    ), labelled AS (
        SELECT t.*, week_of(transaction_date) AS week, CASE WHEN first IS NULL THEN 'unknown'
            WHEN transaction_date > first THEN 'returning' ELSE 'new' END AS kind
        FROM fact_transactions t LEFT JOIN firsts USING (user_id) WHERE {_PERIOD_LINES}
    )
    SELECT week, kind, count(DISTINCT user_id) FILTER (is_sale), count(DISTINCT order_id) FILTER (is_sale),
           sum(gross_amount), sum(net_amount),
           share(sum(net_amount), sum(sum(net_amount)) OVER (PARTITION BY week))
    FROM labelled GROUP BY week, kind ORDER BY week, kind""",
    "loyalty_tiers": """
    SELECT coalesce(loyalty_tier, 'none') AS tier, count(*), count(first_purchase_date),
           q4(count(first_purchase_date), count(*)), q4(sum(orders), count(first_purchase_date)),
           sum(net_amount) AS net,
           each_of(sum(net_amount), count(*))
    FROM agg_user_metrics GROUP BY tier ORDER BY net DESC, tier""",
    # -- conversion_funnel
    "funnel_steps": f"""
    WITH picked AS (SELECT * FROM lake.sessions WHERE {_PERIOD_VISITS}), steps AS (
        SELECT 0 AS step, 'visit' AS name, count(*) AS n FROM picked
        UNION ALL SELECT 1, 'product view', count(reached_view_at) FROM picked
        UNION ALL SELECT 2, 'add to cart', count(reached_cart_at) FROM picked
        UNION ALL SELECT 3, 'begin checkout', count(reached_checkout_at) FROM picked
        UNION ALL SELECT 4, 'purchase', count(reached_purchase_at) FROM picked
    )
    SELECT s.step, s.name, s.n, q4(s.n, v.n), q4(s.n, b.n), b.n - s.n
    FROM steps s JOIN steps v ON v.step = 0 LEFT JOIN steps b ON b.step = s.step - 1 ORDER BY s.step""",
    "funnel_by_device": _by_visits(
        "coalesce(device_type, 'unknown')",
        extra="q4(count(reached_purchase_at), count(reached_cart_at))",
        order="2 DESC, 1",
    ),
    "funnel_by_source": _by_visits(
        "entry_source, entry_medium", extra="known(sum(purchase_amount))", order="3 DESC, 1, 2"
    ),
    "daily_funnel": f"""
    WITH {_DAYS}
    SELECT day, count(session_id), count(reached_view_at), count(reached_cart_at), count(reached_checkout_at),
           count(reached_purchase_at), q4(count(reached_purchase_at), count(session_id))
    FROM days LEFT JOIN lake.sessions ON session_date = day GROUP BY day ORDER BY day""",
    "step_times": f"""
    WITH picked AS (SELECT * FROM lake.sessions WHERE {_PERIOD_VISITS}), moves AS (
        SELECT 1 AS step, started_at AS before, reached_view_at AS after FROM picked
        UNION ALL SELECT 2, reached_view_at, reached_cart_at FROM picked
        UNION ALL SELECT 3, reached_cart_at, reached_checkout_at FROM picked
        UNION ALL SELECT 4, reached_checkout_at, reached_purchase_at FROM picked
    ), timed AS (
        SELECT step, CAST(floor(epoch_us(after) / 1000000) - floor(epoch_us(before) / 1000000) AS BIGINT) AS s
        FROM moves WHERE after IS NOT NULL
    )
    SELECT step, ['visit to product view', 'product view to cart', 'cart to checkout', 'checkout to purchase'][step],
           count(*), quantile_disc(s, 0.5), quantile_disc(s, 0.9), q1(sum(s), count(*))
    FROM timed GROUP BY step ORDER BY step""",
    # -- abandoned_carts
    "abandonment_summary": f"""
    WITH filled AS (
        SELECT *, session_date >= $from_date AS is_now, is_abandoned AS gone FROM lake.sessions
        WHERE carts > 0 AND session_date <= $to_date
          AND session_date >= $from_date - CAST(date_diff('day', $from_date, $to_date) + 1 AS INTEGER)
    ), f AS (
        SELECT count(*) FILTER (is_now) AS n, count(*) FILTER (NOT is_now) AS n0,
               count(*) FILTER (gone AND is_now AND cart_items = 0) AS e,
               count(*) FILTER (gone AND is_now) AS a, count(*) FILTER (gone AND NOT is_now) AS a0,
               known(sum(cart_value) FILTER (gone AND is_now)) AS v,
               known(sum(cart_value) FILTER (gone AND NOT is_now)) AS v0
        FROM filled
    ), b AS (SELECT n0, a0, v0 FROM f WHERE {_VISITS_BEFORE})
    SELECT $from_date, $to_date, f.n, b.n0, f.a, b.a0, f.e, q4(f.a, f.n), q4(b.a0, b.n0), f.v, b.v0,
           share(f.v - b.v0, b.v0), each_of(f.v, f.a - f.e)
    FROM f LEFT JOIN b ON true""",
    "abandonment_by_day": f"""
    WITH {_DAYS}
    SELECT day, count(session_id), count(session_id) FILTER (is_abandoned),
           q4(count(session_id) FILTER (is_abandoned), count(session_id)),
           known(sum(cart_value) FILTER (is_abandoned))
    FROM days LEFT JOIN lake.sessions ON session_date = day AND carts > 0 GROUP BY day ORDER BY day""",
    "abandonment_by_hour": _by_carts("hour(local(started_at, $time_zone))", "", "what"),
    "abandonment_by_device": _by_carts(
        "coalesce(device_type, 'unknown')",
        ", each_of(known(sum(cart_value) FILTER (is_abandoned)), count(*) FILTER (is_abandoned AND cart_items > 0))",
        "2 DESC, 1",
        emptied="count(*) FILTER (is_abandoned AND cart_items = 0),",
    ),
    "abandonment_by_category": f"""
    WITH items AS (
        SELECT i.*, s.is_abandoned, coalesce((SELECT category FROM dim_products p WHERE p.product_sk = i.product_sk),
                                             'unknown') AS category
        FROM lake.cart_items i JOIN lake.sessions s USING (session_id) WHERE {_PERIOD_VISITS}
    )
    SELECT category, sum(added_quantity), known(sum(left_quantity) FILTER (is_abandoned)),
           q4(known(sum(left_quantity) FILTER (is_abandoned)), sum(added_quantity)),
           known(sum(left_quantity * known(unit_price)) FILTER (is_abandoned)) AS left_value,
           count(DISTINCT session_id) FILTER (is_abandoned AND left_quantity > 0)
    FROM items GROUP BY category ORDER BY left_value DESC, category""",
    "cart_recovery": f"""
    WITH gone AS (SELECT * FROM lake.sessions WHERE is_abandoned AND {_PERIOD_VISITS}), after AS (
        SELECT cart_items, user_id, cart_value, ended_at,
               (SELECT min(transaction_ts) FROM fact_transactions t
                WHERE t.user_id = gone.user_id AND t.is_sale AND t.transaction_ts > gone.ended_at) AS bought_at,
               (SELECT min(transaction_ts) FROM fact_transactions t
                JOIN lake.cart_items i USING (product_id)
                WHERE i.session_id = gone.session_id AND i.is_left_behind AND t.user_id = gone.user_id
                  AND t.is_sale AND t.transaction_ts > gone.ended_at) AS recovered_at
        FROM gone
    ), waited AS (
        SELECT *, floor(epoch_us(recovered_at) / 1000000) - floor(epoch_us(ended_at) / 1000000) AS s FROM after
    ), named AS (
        SELECT cart_value, CASE WHEN cart_items = 0 THEN 'cart was emptied'
            WHEN user_id IS NULL THEN 'visitor not known'
            WHEN s <= 60 * 60 THEN 'recovered within an hour' WHEN s <= 24 * 60 * 60 THEN 'recovered within a day'
            WHEN s <= 7 * 24 * 60 * 60 THEN 'recovered within a week' WHEN s > 0 THEN 'recovered later'
            WHEN bought_at IS NOT NULL THEN 'bought something else later' ELSE 'bought nothing so far' END AS outcome
        FROM waited
    ), outcomes AS (
        SELECT outcome, place FROM (SELECT unnest([
            'recovered within an hour', 'recovered within a day', 'recovered within a week', 'recovered later',
            'bought something else later', 'bought nothing so far', 'cart was emptied', 'visitor not known'
        ]) AS outcome, generate_subscripts(range(8), 1) AS place)
    )
    SELECT place, outcome, count(cart_value), q4(count(cart_value), sum(count(cart_value)) OVER ()),
           CASE WHEN place < 7 THEN
               q4(count(cart_value), sum(count(cart_value)) FILTER (place < 7) OVER ()) END,
           known(sum(cart_value))
    FROM outcomes LEFT JOIN named USING (outcome) GROUP BY place, outcome ORDER BY place""",
    "top_left_behind": f"""
    WITH {_TODAY}, figures AS (
        SELECT i.product_id, count(*) AS n, sum(left_quantity) AS units,
               sum(left_quantity * known(unit_price)) AS worth
        FROM lake.cart_items i WHERE left_quantity > 0 AND session_id IN (
            SELECT session_id FROM lake.sessions WHERE is_abandoned AND {_PERIOD_VISITS})
        GROUP BY i.product_id
    )
    SELECT f.product_id, {_NAMED}, n, units, worth FROM figures f LEFT JOIN today c USING (product_id)
    ORDER BY worth DESC, f.product_id LIMIT 25""",
}


def answer(db: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """DuckDB's answer to a dashboard's question.

    Args:
        db: What `pipelines.tables.connect` gives, with the schema lake and the MACROS.
        query: The name of a query.
        parameters: from_date, to_date (dates) and time_zone.
    """
    sql = ANSWERS[query]
    named = {name: value for name, value in parameters.items() if f"${name}" in sql}
    return db.execute(sql, named).fetchall()

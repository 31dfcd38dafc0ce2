"""A shop's raw data with a known truth: users, products, transactions and clickstream, with planted defects.

Stand-alone: imports nothing of the platform. Specification (`spec`) → plan (`people`, `catalogue`, `purchases`,
`visits`) → rows (`user_rows`, `product_rows`, `transaction_rows`, `event_rows`) → files (`writing`).
"""

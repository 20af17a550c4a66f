"""Alembic migrations of volsvc's database."""

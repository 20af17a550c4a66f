"""Alembic migrations of computesvc's database."""

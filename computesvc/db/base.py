"""The declarative base of computesvc's own database."""
from svckit.db import make_base

Base = make_base()

"""The declarative base of volsvc's own database."""
from svckit.db import make_base

Base = make_base()

"""Choosing where a volume goes: pure functions over what backends reported."""

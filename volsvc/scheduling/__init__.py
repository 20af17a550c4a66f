"""Choosing where a volume goes: pure filters and weighers, and the claim that makes a choice good."""

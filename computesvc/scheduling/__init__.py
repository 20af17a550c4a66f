"""Choosing where a server goes: pure filters and weighers, and the claim that makes a choice good."""

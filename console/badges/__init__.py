"""Badges: what somebody is certified for, awarded by whom."""

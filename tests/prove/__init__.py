"""Proofs: each tries very many cases from a seed, quick or long, and gives figures."""

"""Nouns: frozen data that every stage shares. Imports nothing of ours."""

"""Decisions to text: edits, surgery, gate, patch, report."""

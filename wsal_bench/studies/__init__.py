"""What stored runs let one say: tables, ablations, audits, other rules."""

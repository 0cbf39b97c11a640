"""What everything stands on: errors, tables, files and cached arrays."""

"""What people read: tables, summaries, files and the report of a study."""

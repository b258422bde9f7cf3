"""Run the project's own tests, and see which Python and which libraries really took part."""

"""The GitHub workflow that runs the plan: its text, and how a file differs from it."""

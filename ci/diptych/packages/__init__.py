"""Floor 3: from one relinked tree each, the wheel and the conda package."""

"""From one relinked tree each, the wheel and the conda package."""

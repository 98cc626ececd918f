"""The operator's hands: what the ``interlock`` command does."""

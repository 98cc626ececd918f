"""The messages that services exchange, versioned; golden files under ``tests/contracts`` parse for ever."""

"""The services of Interlock; none imports another, they meet in topics."""

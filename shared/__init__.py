"""What two or more services need: contracts, canonical forms, the log, the database, sign-in."""

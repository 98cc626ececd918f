"""Foreign file formats that become a feed's reports."""

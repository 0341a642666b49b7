"""What the commands share: how they print, and how they write their files."""

"""The directory for other systems: LDIF and passwd."""

"""What is said of figures on pages: captions, and alternative texts."""

"""What figures say on pages: captions and alternative texts, those of a study as functions of what was found."""

"""What a page that can draw and choose needs to know, from the findings of a study."""

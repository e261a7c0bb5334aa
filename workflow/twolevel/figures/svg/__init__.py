"""What an SVG has beyond its picture."""

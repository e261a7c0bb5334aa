"""How a document becomes a page: templates, markup, renderers, the site."""

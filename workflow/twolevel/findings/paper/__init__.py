"""What goes from a study's page into a paper: text, tables, references and code, each by itself."""

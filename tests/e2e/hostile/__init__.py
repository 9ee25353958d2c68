"""Services that cannot be trusted, drawn by chance, whose truth is known."""

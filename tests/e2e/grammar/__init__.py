"""Services as the manifest grammar must be able to describe them, and projects that read them."""

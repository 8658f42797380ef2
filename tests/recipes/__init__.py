"""The recipes of docs/recipes.md, built with the real tools and opened in a real browser."""

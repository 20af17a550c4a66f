"""computesvc's own database: models, and one module of queries for each noun."""

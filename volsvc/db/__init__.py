"""The service's own database: models, and one module of reads and writes for each noun."""

"""The Cinder v3 REST API: routes, handlers, schemas and views, one file for each noun."""

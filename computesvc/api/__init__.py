"""The Nova v2.1 REST API: routes, handlers, schemas and views, one file for each noun."""

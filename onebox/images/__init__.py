"""A read-only image service that clients take for Glance v2, over a folder of files."""

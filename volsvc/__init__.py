"""Block storage by the Cinder v3 API: volumes, who uses them, and growing them under a running server."""

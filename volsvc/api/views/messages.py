"""User messages as answers show them."""
from volsvc.api.views import links


def detail(req, message) -> dict:
    """A message, and its links."""
    return {'id': message.id, 'event_id': message.event_id, 'user_message': message.user_message,
            'message_level': message.message_level, 'created_at': message.created_at,
            'guaranteed_until': message.expires_at, 'request_id': message.request_id,
            'links': links.to(req, 'messages', message.id),
            'resource_type': message.resource_type, 'resource_uuid': message.resource_uuid}

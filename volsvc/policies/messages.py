"""Policies of messages: what users are told of requests that failed later."""
from volsvc.policies.base import MEMBER, READER, rule

GET = 'message:get'
GET_ALL = 'message:get_all'
DELETE = 'message:delete'

RULES = [
    rule(GET_ALL, READER, 'List messages.', 'GET /messages'),
    rule(GET, READER, 'Show a message.', 'GET /messages/{message_id}'),
    rule(DELETE, MEMBER, 'Delete a message.', 'DELETE /messages/{message_id}'),
]

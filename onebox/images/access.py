"""Who asks, and what images there are for them.

As in Glance: a public or community image is everybody's to see, any other its
owner's and its members'.  Only its owner changes an image, and administrators all.
"""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Caller:
    project_id: str | None
    admin: bool = False


def callers(identity, directory):
    """A function from a token's text to its Caller; it raises 401 for one that is no good."""
    def find(text: str) -> Caller:
        token, _ = identity.authenticated(text)
        roles = directory.roles_of(token.user_id, token.project_id) if token.project_id else []
        return Caller(token.project_id, any(role['name'] == 'admin' for role in roles))
    return find


def sees(caller: Caller, image: dict) -> bool:
    return changes(caller, image) or image['visibility'] in ('public', 'community') or is_member(caller, image)


def changes(caller: Caller, image: dict) -> bool:
    return caller.admin or (caller.project_id is not None and caller.project_id == image['owner'])


def is_member(caller: Caller, image: dict) -> bool:
    return image['visibility'] == 'shared' and caller.project_id in image.get('members', {})


def lists(caller: Caller, image: dict, query) -> bool:
    """Whether a list has it that does not ask for more.

    Others' community images are listed on request only, shared ones once they were accepted.
    """
    if changes(caller, image) or image['visibility'] == 'public':
        return True
    if image['visibility'] == 'community':
        return query.get('visibility') == 'community'
    if not is_member(caller, image):
        return False
    wanted = query.get('member_status', 'accepted')
    return wanted == 'all' or image['members'][caller.project_id]['status'] == wanted

"""Who asks, on whose behalf, under which request id and microversion."""
from oslo_context import context as oslo_context

from svckit import errors
from svckit import policy as rules


class RequestContext(oslo_context.RequestContext):
    """A request's context, also the one log lines take their request ids from.

    `service` is the Service object that the request runs in, `version` the
    request's microversion (None outside an API).
    """

    def __init__(self, service=None, version=None, is_admin=None, roles=(), **kwargs):
        # is_admin None: policy decides when somebody asks.
        super().__init__(is_admin=is_admin, roles=rules.implied(roles), **kwargs)
        self.service = service
        self.version = version
        self._values = None

    def identify(self, credentials: dict):
        """What authentication found out: attributes of this context, by name."""
        for name, value in credentials.items():
            setattr(self, name, value)
        self.roles = rules.implied(credentials.get('roles') or ())
        self.is_admin = self._values = None

    @property
    def db(self):
        return self.service.db

    @property
    def is_service(self) -> bool:
        """True for another service, acting for itself or for a user (with its own token beside)."""
        return 'service' in self.roles or 'service' in self.service_roles

    def check_is_admin(self) -> bool:
        return self.service.policy.is_admin(self._credentials())

    @property
    def policy_values(self) -> dict:
        """What policy checks look at; made once."""
        if self._values is None:
            self._values = self._credentials()
            self._values['is_admin'] = bool(self.is_admin)
        return self._values

    def _credentials(self) -> dict:
        return {'user_id': self.user_id, 'project_id': self.project_id, 'roles': self.roles,
                'service_roles': self.service_roles, 'domain_id': self.domain_id,
                'user_domain_id': self.user_domain_id, 'project_domain_id': self.project_domain_id,
                'system_scope': self.system_scope, 'is_admin_project': self.is_admin_project,
                'service_user_id': self.service_user_id, 'service_project_id': self.service_project_id}

    def can(self, rule: str, target=None) -> bool:
        """True if policy lets this context do `rule` to `target`.

        A target is a dict, or a row with project_id and user_id; none means
        something of the context's own project.
        """
        if target is None:
            target = {'project_id': self.project_id, 'user_id': self.user_id}
        elif not isinstance(target, dict):
            target = {'project_id': getattr(target, 'project_id', None),
                      'user_id': getattr(target, 'user_id', None)}
        return self.service.policy.check(rule, target, self)

    def authorize(self, rule: str, target=None):
        """Raises errors.Forbidden, naming the rule, unless policy allows it."""
        if not self.can(rule, target):
            scope = self.service.policy.wrong_scope(rule, self)
            by = f' by a token of {scope} scope' if scope else ''
            raise errors.Forbidden(f"Policy doesn't allow {rule} to be performed{by}.")


def system_context(service, project_id=None, user_id=None, request_id=None) -> RequestContext:
    """A context for work that no request waits for; its log lines carry `request_id`."""
    return RequestContext(service=service, project_id=project_id, user_id=user_id, request_id=request_id,
                          is_admin=True, roles=['admin'])

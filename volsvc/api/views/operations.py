"""Operations as answers show them: the engine's description, with times that people read."""
import datetime


def detail(described: dict) -> dict:
    """`described` by svckit.operations.describe."""
    return described | {
        'created_at': moment(described['created_at']), 'finished_at': moment(described['finished_at']),
        'steps': [step | {'finished_at': moment(step['finished_at'])} for step in described['steps']],
        'children': [detail(child) for child in described['children']]}


def moment(seconds: float | None) -> datetime.datetime | None:
    """UTC without a zone, as all of this API's times."""
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.UTC).replace(tzinfo=None)

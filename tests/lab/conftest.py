"""What the lab's tests share. They run in the lab's machine and are skipped elsewhere."""
import os

import pytest

INSIDE = 'LAB_NODE' in os.environ


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == 'lab':
            item.add_marker(pytest.mark.lab)
            if not INSIDE:
                item.add_marker(pytest.mark.skip(reason='runs in the lab\'s machine: ./stack.sh lab'))

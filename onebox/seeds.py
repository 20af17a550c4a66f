"""What a fresh onebox has in it besides users: the image of a small Linux guest."""
import os
import pathlib
import shutil

from onebox import guest
from svckit import process

NAME = 'guest'
FILE = 'guest.raw'


def guest_image(images, say) -> pathlib.Path | None:
    """The built image, which the folder has as "guest" afterwards; or None, and the reason has been said.

    The first one on a machine takes some 20 s and a download; it is kept in the user's cache.
    """
    there = images.path / FILE
    try:
        made = guest.image(progress=lambda text: say(f'{text} (once, for the image "{NAME}").'))
        if not there.exists():
            beside = there.with_suffix('.part')
            process.native(shutil.copyfile, made, beside)
            os.replace(beside, there)
            images.describe(FILE, name=NAME, min_disk=1)
        return made
    except (guest.Unavailable, OSError) as error:
        say(f'No guest image: {error}')
        return None

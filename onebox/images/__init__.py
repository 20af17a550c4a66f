"""An image service that clients take for Glance v2: a folder of files, and the images that users make."""


def open_images(path, identity, directory):
    """-> (the Folder of files at `path`, the API over them and over what users made, in `made` below it)."""
    from onebox.images import access
    from onebox.images.api import Images
    from onebox.images.folder import Folder
    from onebox.images.library import Library
    from onebox.images.made import Made
    folder = Folder(path, directory.project_named('service')['id'])
    return folder, Images(Library(folder, Made(path / 'made')), access.callers(identity, directory))

"""All images: those that users made, and the files that lie in the folder."""


class Library:

    def __init__(self, folder, made):
        self._folder, self._made = folder, made

    def images(self) -> list[dict]:
        return self._folder.images() + self._made.images()

    def image(self, image_id: str) -> dict | None:
        return self._made.image(image_id) or self._folder.image(image_id)

    def file_of(self, image: dict):
        return self._of(image).file_of(image)

    def add(self, image: dict) -> bool:
        return self._folder.image(image['id']) is None and self._made.add(image)

    def receive(self, image_id, read) -> None:
        """As Made.receive()."""
        self._made.receive(image_id, read)

    def change(self, image: dict, **fields) -> None:
        if self._of(image) is self._made:
            self._made.change(image['id'], **fields)
        else:
            self._folder.describe(image['file_name'], **fields)

    def remove(self, image: dict) -> None:
        if self._of(image) is self._made:
            self._made.remove(image['id'])
        else:
            self._folder.file_of(image).unlink(missing_ok=True)

    def _of(self, image):
        return self._folder if 'file_name' in image else self._made

"""A running Linux guest's disk grows."""
from onebox import measure
from onebox.demo.stage import GIB, Failed, Stage, size_text
from onebox.terminal import duration


class Grow(Stage):
    """The guest itself has seen the new size of its disk."""

    point = 'The guest saw its disk grow.'

    def play(self):
        with self.doing('Create a boot volume from the image'):
            self.create_volume('root', '--image', 'guest', '--bootable')
        with self.doing('Boot a guest from it'):
            self.server = self.boot('--volume', 'root')
            self.openstack('console', 'log', 'show', '--lines', '4', 'guest')
        with self.doing('Create a volume of 1 GiB and attach it'):
            data = self.create_volume('data')
            self.attach(self.server, data)
        before = self._sizes(data)
        with self.doing('Grow it to 2 GiB while the guest runs'):
            self._grow(data)
        after = self._sizes(data)
        self._report(data, before, after)
        if any(size != 2 * GIB for _, size in after) or any(size != GIB for _, size in before):
            raise Failed('the sizes are not what they should be')

    def _grow(self, volume):
        began = self.now()
        self.openstack('volume', 'set', '--size', '2', 'data')
        with self.screen.busy('the operation and its children end') as busy:
            while not measure.ended(operations := self.cloud.operations(volume['id'], self.server)):
                if error := measure.failure(operations):
                    raise Failed(error)
                busy.note = measure.where(operations)
                self.wait('the operation has ended')
            if error := measure.failure(operations):
                raise Failed(error)
            self.until_guest_sees(self.server, volume, 2 * GIB)
        self.screen.good(f'Done, {duration(self.now() - began)} after the command was typed.')

    def _sizes(self, volume) -> list[tuple[str, int]]:
        """[(who says so, bytes)]"""
        return [('volume service', self.cloud.volume_size(volume['id'])),
                ('host: the file', self.cloud.file_size(volume['id'])),
                ("host: libvirt's disk", self.cloud.disk_size(self.server, volume['id'])),
                ('guest: serial console', self.cloud.guest_size(self.server, volume['id']) or 0)]

    def _report(self, volume, before, after):
        self.screen.heading('What everybody says')
        self.openstack('volume', 'show', 'data', fields=['name', 'size', 'status'])
        self.openstack('console', 'log', 'show', '--lines', '12', 'guest')
        self.screen.line()
        self.screen.table(['size of the volume according to', 'before', 'after'],
                          [[name, size_text(size), size_text(dict(after)[name])] for name, size in before])
        self.screen.heading('Where the time went: the operation, step by step')
        self.screen.bars(measure.bars(self.cloud.operations(volume['id'], self.server)))
        self.show_times()

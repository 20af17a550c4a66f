"""A server moves between two hosts: resized, confirmed, migrated, reverted; its guest counts on its disks meanwhile."""
from onebox import guest, measure
from onebox.demo.stage import GIB, Failed, Stage, size_text
from onebox.demo.watch import POWER, Watch

ROOT, VOLUME = 'vda', 'vdb'
NAMES = {ROOT: 'root disk', VOLUME: 'volume'}
ADMIN = ('--os-cloud', 'onebox-admin')
WORDS = 9       # lines of the guest's own


class Resize(Stage):
    """After each move the guest counts on from what it had written, on its own disk and on its volume."""

    limit = 480
    options = ('--hosts', '2')
    point = 'The server moved, and its guest found both disks as it had left them.'

    def play(self):
        with self.doing('Make a larger flavor'):
            self.openstack(*ADMIN, 'flavor', 'create', '--vcpus', '2', '--ram', '256', '--disk', '2', 'bigger',
                           fields=['name', 'vcpus', 'ram', 'disk'])
        with self.doing('Boot a guest from the image, with a disk of its own'):
            self.server = self.boot('--image', 'guest')
        with self.doing('Create a volume of 1 GiB and attach it'):
            self.volume = self.create_volume('data')
            self.attach(self.server, self.volume)
        with self.doing('The guest counts on both disks'):
            self._starts = {}       # host -> how often the guest has come up there
            self._await_counting()
        self._columns = {'at first': self._facts()}
        with self.doing('Resize: to the other host, to more of everything, its disk copied'):
            self._move('resize-server', 'VERIFY_RESIZE', 'resize', '--flavor', 'bigger', 'guest')
        self._columns['resized'] = self._facts()
        with self.doing('Confirm: nothing of it stays behind'):
            self._watch('confirm-resize', 'ACTIVE', 'resize', 'confirm', 'guest', hosts=1)
            self._starts = {self._host(): 1}
        self._columns['confirmed'] = self._facts()
        kept = self._counted()
        with self.doing('Migrate: to another host with the same flavor'):
            self._move('resize-server', 'VERIFY_RESIZE', 'migrate', self.server, options=ADMIN)
        with self.doing('Revert: back to where it was, on the disk that stayed there'):
            self._move('revert-resize', 'ACTIVE', 'resize', 'revert', 'guest', hosts=1, root=kept[ROOT])
        self._columns['reverted'] = self._facts()
        self._report()

    # -- the steps

    def _move(self, operation, status, *words, root=None, **how):
        """`openstack server` with these words moves it, and its guest counts on; on its own disk maybe from `root`."""
        before = self._counted()
        self._watch(operation, status, *words, **how)
        found = self._await_counting()
        for disk, least in (before | ({ROOT: root} if root else {})).items():
            if found.get(disk, 0) < least:
                raise Failed(f'the guest found {found.get(disk)} on its {NAMES[disk]}, after it had counted to {least}')

    def _watch(self, operation, status, *words, hosts=2, options=()):
        """Runs the command, and shows what happens until the server has this status and so many hosts know it."""
        with Watch(self.screen, self.cloud, self.server) as watch:
            self.openstack(*options, 'server', *words)
            with self.screen.busy(f'until the server is {status}') as busy:
                while not (watch.is_at_rest(status) and watch.hosts == hosts):
                    self._check(operation, busy)
                    self.wait(f'the server is {status} and known to {hosts} hosts')

    def _check(self, name, busy):
        done = self.cloud.last_operation(self.server, name)
        if done and done['state'] not in (*measure.LIVE, 'done'):
            raise Failed(f'{name} is {done["state"]}: {done["error"]}')
        busy.note = measure.where([('compute', done)] if done else [])

    def _await_counting(self) -> dict[str, int]:
        """The guest has come up anew where it is, and counts; the number that it found on each disk."""
        host = self._host()
        with self.screen.busy(f'the guest boots on {host} (emulated) and counts'):
            while True:
                said = guest.starts(self.cloud.console(self.server))
                if len(said) > self._starts.get(host, 0) and {ROOT, VOLUME} <= guest.counters(said[-1]).keys():
                    break
                self.wait('the guest counts on both disks')
        self._starts[host] = len(said)
        self.openstack('console', 'log', 'show', '--lines', str(WORDS), 'guest')
        return {disk: numbers[-1] for disk, numbers in guest.counters_found(said[-1]).items()}

    def _counted(self) -> dict[str, int]:
        return guest.counters(self.cloud.console(self.server))

    def _host(self) -> str:
        """The name of the host that the guest runs on, of which there is exactly one."""
        running = [name for name, power in self.cloud.power(self.server).items() if power == 'running']
        if len(running) != 1:
            raise Failed(f'the guest runs on {len(running)} hosts: {" ".join(running)}')
        return running[0]

    # -- what is seen

    def _facts(self) -> dict[str, str]:
        """Who says what: the services, each host's libvirt, and the guest."""
        users = self.cloud.users(self.volume['id'])
        if users != [self.server]:
            raise Failed(f'the volume is attached {len(users)} times')
        console = self.cloud.console(self.server)
        said = guest.starts(console)[-1]
        processors, memory = guest.machine(said)
        disks, found, counted = guest.sizes_seen(console), guest.counters_found(said), guest.counters(said)
        power = self.cloud.power(self.server)
        return {
            'compute service: status': self.cloud.status('server', self.server),
            'compute service: flavor': self.cloud.flavor(self.server),
            **{f'libvirt of {name}': POWER.get(word, word) for name, word in power.items()},
            'guest: processors, memory': f'{processors}, {memory} MiB',
            **{f'guest: {name}': size_text(disks[disk].size) for disk, name in NAMES.items()},
            **{f'guest: counts on its {name}': f'{found[disk][-1]} … {counted[disk]}' for disk, name in NAMES.items()},
        }

    def _report(self):
        self.screen.heading('What everybody says')
        self.screen.table(['', *self._columns], [
            [what, *(facts[what] for facts in self._columns.values())] for what in self._columns['at first']])
        self.screen.line(self.screen.paint(
            '  Each start of the guest counts on from the number it finds. Reverting drops what was written to the\n'
            '  copy of its own disk on the other host; the volume is one and the same on both.', 'dim'))
        for name, title in (('resize-server', 'the migration'), ('revert-resize', 'the revert')):
            self.screen.heading(f'Where the time of {title} went, step by step')
            self.screen.bars([(label.split()[-1], *when) for label, *when in measure.bars(
                [('compute', self.cloud.last_operation(self.server, name))])])
        self.show_times()
        if self._columns['resized']['guest: root disk'] != size_text(2 * GIB):
            raise Failed("the guest's own disk did not grow with its flavor")

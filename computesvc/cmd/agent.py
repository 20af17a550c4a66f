"""computesvc-agent: one for each hypervisor; needs the broker, and no database."""
import os
import sys

from svckit import process


def hypervisor(conf):
    """The hypervisor that the configuration names."""
    if conf.agent.hypervisor == 'memory':
        from computesvc.host.memory import Memory
        os.makedirs(conf.state_path, exist_ok=True)
        return Memory(conf.service.host, path=os.path.join(conf.state_path, 'memory.json'))
    from computesvc.host.libvirt import Libvirt
    return Libvirt(conf.agent.libvirt_uri, os.path.join(conf.state_path, 'libvirt'), conf.agent.virt_type,
                   host_ip=conf.my_ip)


def main() -> int:
    process.start()
    from computesvc import conf as options
    from computesvc.service import Service
    from svckit import conf
    configuration = conf.load('computesvc', options.OPTS, args=sys.argv[1:])
    service = Service(configuration)
    agent = service.agent(hypervisor(configuration))
    agent.start()
    process.until_signal(lambda: (agent.stop(configuration.service.grace), service.messaging.stop()))
    return 0


if __name__ == '__main__':
    sys.exit(main())

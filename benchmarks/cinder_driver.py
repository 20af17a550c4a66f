"""A driver of Cinder's that does nothing, for benchmarks/cinder.py: what is measured is everything but storage.

It is loaded by cinder-volume, from a copy in the folder of the run. (The one among Cinder's own tests brings its test
harness into the process.)
"""
from cinder.volume import driver


class NothingDriver(driver.VolumeDriver):
    VERSION = '1'

    def check_for_setup_error(self):
        pass

    def create_volume(self, volume):
        pass

    def create_volume_from_snapshot(self, volume, snapshot):
        pass

    def create_cloned_volume(self, volume, src_vref):
        pass

    def delete_volume(self, volume):
        pass

    def create_snapshot(self, snapshot):
        pass

    def delete_snapshot(self, snapshot):
        pass

    def extend_volume(self, volume, new_size):
        pass

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def initialize_connection(self, volume, connector, **kwargs):
        return {'driver_volume_type': 'fake', 'data': {}}

    def terminate_connection(self, volume, connector, **kwargs):
        pass

    def _update_volume_stats(self):
        self._stats = {'volume_backend_name': 'nothing', 'vendor_name': 'none', 'driver_version': self.VERSION,
                       'storage_protocol': 'fake', 'total_capacity_gb': 'infinite', 'free_capacity_gb': 'infinite',
                       'reserved_percentage': 0, 'online_extend_support': True}

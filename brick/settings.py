"""What brick.setup() was told; nothing is imported here, so that a process that connects nothing pays nothing."""

lock_path = '/var/lock/brick'       # folder
helper = None                       # command that starts the privileged daemon; None: see daemon.Context

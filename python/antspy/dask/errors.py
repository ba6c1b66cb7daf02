"""What a pool on a cluster raises."""

from antspy.errors import PoolError


class ClusterError(PoolError):
    """The outcome of a call cannot be had, for what has happened to the cluster or to the way there.

    The client was closed, the scheduler is gone or was restarted, somebody cancelled the call on the cluster,
    or this process is a forked child. Such a call may have run, in part or as a whole. It is never called
    again by antspy.
    """

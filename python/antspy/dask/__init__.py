"""A pool whose tasks run on a Dask distributed cluster. Needs `distributed`: `pip install 'antspy[dask]'`.

`import antspy` does not import this. antspy must be installed where the scheduler and the workers are, too.
"""

from .cluster_pool import ClusterPool
from .errors import ClusterError
from .executor_plugin import ExecutorPlugin

__all__ = ["ClusterError", "ClusterPool", "ExecutorPlugin"]

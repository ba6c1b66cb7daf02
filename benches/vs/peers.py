"""All peers, by name."""

from vs.floor import Floor
from vs.gevent_pool import Gevent
from vs.go_ants import GoAnts
from vs.joblib_threads import Joblib
from vs.ours import Ours
from vs.peer import Peer
from vs.simple_queue import BareQueue
from vs.standard import Standard
from vs.thread_pool import MultiprocessingPool
from vs.threads import Threads

PYTHON_PEERS: dict[str, type[Peer]] = {
    peer.name: peer
    for peer in (Ours, Standard, MultiprocessingPool, Threads, BareQueue, Joblib, Gevent, Floor)
}
"""Those that are measured in this process, in the order of the table."""

NAMES = [*PYTHON_PEERS, GoAnts.name]

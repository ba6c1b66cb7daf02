"""SQLAlchemy sessions in workers, against a SQLite file."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import antspy
import pytest
from support import LIMIT, eventually, library

library("sqlalchemy")

from sqlalchemy import Engine, create_engine, event, func, select  # noqa: E402
from sqlalchemy.exc import IntegrityError  # noqa: E402
from sqlalchemy.orm import (  # noqa: E402
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    scoped_session,
    sessionmaker,
)

KINDS = [antspy.Pool, antspy.ThreadPoolExecutor]


class Base(DeclarativeBase):
    pass


class Ant(Base):
    __tablename__ = "ant"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'ants.db'}", pool_size=16)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def sessions_of(engine: Engine, kind: Callable[..., antspy.Pool]) -> Callable[[int], antspy.Pool]:
    """What the example shows: a session for each worker."""
    return partial(kind, initializer=Session, initargs=(engine,), finalizer=Session.close)


def add(name: str) -> tuple[int, Session]:
    session: Session = antspy.worker_state()
    with session.begin():
        session.add(Ant(name=name))
    return threading.get_ident(), session


def count(engine: Engine) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(Ant)) or 0


@pytest.mark.parametrize("kind", KINDS)
def test_each_worker_has_one_session_for_all_of_its_tasks(
    kind: Callable[..., antspy.Pool], engine: Engine
) -> None:
    together = threading.Barrier(4)

    def meet() -> Session:
        together.wait(LIMIT)
        session: Session = antspy.worker_state()
        return session

    with sessions_of(engine, kind)(4) as pool:
        met = [pool.submit(meet) for _ in range(4)]  # every worker has started
        sessions = {id(future.result()) for future in met}
        used = set(pool.map(add, [f"ant {number}" for number in range(100)]))
        assert len(sessions) == 4
        assert {id(session) for _, session in used} <= sessions
        assert len({worker for worker, _ in used}) == len({id(session) for _, session in used})
    assert count(engine) == 100


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_gives_its_connection_back_when_its_worker_leaves(
    kind: Callable[..., antspy.Pool], engine: Engine
) -> None:
    def keep_a_connection() -> int | None:
        session: Session = antspy.worker_state()
        return session.scalar(select(func.count()).select_from(Ant))

    checked_out = Connections(engine)
    pool = sessions_of(engine, kind)(3)
    together = threading.Barrier(3)
    for _ in range(3):
        pool.go(lambda: (keep_a_connection(), together.wait(LIMIT)))
    assert pool.wait(LIMIT)
    assert checked_out.now == 3
    pool.tune(1)  # two workers leave
    eventually(lambda: checked_out.now == 1)
    pool.shutdown()
    assert checked_out.now == 0


def test_a_session_is_closed_when_its_worker_expires_and_the_next_worker_has_another(engine: Engine) -> None:
    closed: list[Session] = []

    def close(session: Session) -> None:
        session.close()
        closed.append(session)

    with antspy.Pool(1, expiry=0.05, initializer=Session, initargs=(engine,), finalizer=close) as pool:
        _, first = pool.submit(add, "ant").result()
        eventually(lambda: closed == [first])
        _, second = pool.submit(add, "bee").result()
        assert second is not first
    assert closed == [first, second]


def test_a_failed_task_rolls_back_and_its_session_serves_the_next(engine: Engine) -> None:
    with sessions_of(engine, antspy.Pool)(1) as pool:
        _, session = pool.submit(add, "ant").result()
        with pytest.raises(IntegrityError):
            pool.submit(add, "ant").result()
        assert pool.submit(add, "bee").result()[1] is session
    assert count(engine) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_scoped_session_is_kept_by_its_worker_and_removed_when_it_leaves(
    kind: Callable[..., antspy.Pool], engine: Engine
) -> None:
    scoped = scoped_session(sessionmaker(engine))
    checked_out = Connections(engine)

    def add_scoped(name: str) -> Session:
        scoped.add(Ant(name=name))
        scoped.commit()
        scoped.scalar(select(func.count()).select_from(Ant))  # and keep the connection
        return scoped()

    with kind(1, finalizer=lambda _: scoped.remove()) as pool:
        sessions = {
            id(session) for session in pool.map(add_scoped, [f"ant {number}" for number in range(20)])
        }
        assert len(sessions) == 1
        assert checked_out.now == 1
    assert checked_out.now == 0
    assert not scoped.registry.has()  # this thread never had one
    assert count(engine) == 20


class Connections:
    """How many connections of an engine are in use."""

    def __init__(self, engine: Engine) -> None:
        self.now = 0
        event.listen(engine, "checkout", lambda *args: self._changed(1))
        event.listen(engine, "checkin", lambda *args: self._changed(-1))
        self._lock = threading.Lock()

    def _changed(self, by: int) -> None:
        with self._lock:
            self.now += by

"""SQLAlchemy: a session for each worker, opened before its first task and closed when it leaves."""

import tempfile
from pathlib import Path

import antspy
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Ant(Base):
    __tablename__ = "ant"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def add(name: str) -> int:
    session: Session = antspy.worker_state()
    with session.begin():
        ant = Ant(name=name)
        session.add(ant)
        session.flush()
        return ant.id


with tempfile.TemporaryDirectory() as folder:
    engine = create_engine(f"sqlite:///{Path(folder) / 'ants.db'}")
    Base.metadata.create_all(engine)
    with antspy.Pool(4, initializer=Session, initargs=(engine,), finalizer=Session.close) as pool:
        numbers = list(pool.map(add, [f"ant {number}" for number in range(20)]))
    with Session(engine) as session:
        stored = session.scalars(select(Ant.id)).all()
    engine.dispose()
print(f"{len(stored)} rows")
assert sorted(stored) == sorted(numbers) == list(range(1, 21))

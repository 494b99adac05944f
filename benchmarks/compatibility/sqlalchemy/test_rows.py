import pytest
from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shop"
    name: Mapped[str] = mapped_column(primary_key=True)
    items: Mapped[list["Item"]] = relationship(order_by="Item.name")


class Item(Base):
    __tablename__ = "item"
    name: Mapped[str] = mapped_column(primary_key=True)
    price: Mapped[int]
    shop: Mapped[str] = mapped_column(ForeignKey("shop.name"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('db')}/shop.sqlite")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine):
    with Session(engine) as session:
        session.add(Shop(name="corner", items=[Item(name="milk", price=2), Item(name="bread", price=3)]))
        session.flush()
        yield session
        session.rollback()


def test_sum(session):
    assert session.scalar(select(func.sum(Item.price))) == 5


def test_order(session):
    assert session.scalars(select(Item.name).order_by(Item.price)).all() == ["milk", "bread"]


def test_relationship(session):
    assert [item.name for item in session.get(Shop, "corner").items] == ["bread", "milk"]


def test_duplicate(session):
    session.add(Item(name="milk", price=1, shop="corner"))
    with pytest.raises(IntegrityError):
        session.flush()


def test_memory():
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1 + 1").scalar() == 2
    engine.dispose()

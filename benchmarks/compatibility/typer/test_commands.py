import pytest
import typer
from typer.testing import CliRunner

app = typer.Typer()


@app.command()
def sell(name: str, price: int = 3):
    typer.echo(f"{name}: {price}")


@app.command()
def close():
    raise typer.Exit(3)


@pytest.fixture
def runner():
    return CliRunner()


def test_default(runner):
    assert runner.invoke(app, ["sell", "bread"]).output == "bread: 3\n"


def test_option(runner):
    assert runner.invoke(app, ["sell", "milk", "--price", "2"]).output == "milk: 2\n"


def test_exit(runner):
    assert runner.invoke(app, ["close"]).exit_code == 3


def test_wrong(runner):
    assert runner.invoke(app, ["sell"]).exit_code == 2


def test_help(runner):
    assert "sell" in runner.invoke(app, ["--help"]).output

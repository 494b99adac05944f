import click
import pytest
from click.testing import CliRunner


@click.command()
@click.argument("name")
@click.option("--price", type=int, prompt=True)
def sell(name, price):
    if price < 0:
        raise click.BadParameter("no gifts")
    click.echo(f"{name}: {price}")


@pytest.fixture
def runner():
    return CliRunner()


def test_option(runner):
    assert runner.invoke(sell, ["bread", "--price", "3"]).output == "bread: 3\n"


def test_prompt(runner):
    assert runner.invoke(sell, ["bread"], input="3\n").output.endswith("bread: 3\n")


def test_refused(runner):
    assert runner.invoke(sell, ["bread", "--price", "-1"]).exit_code == 2


def test_files(runner):
    with runner.isolated_filesystem():
        with open("prices", "w", encoding="utf-8") as file:
            file.write("3")
        with click.open_file("prices") as file:
            assert file.read() == "3"


def test_help(runner):
    assert "--price" in runner.invoke(sell, ["--help"]).output

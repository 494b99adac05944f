import jinja2
import pytest


@pytest.fixture
def environment(tmp_path):
    (tmp_path / "item.txt").write_text("{{ name|upper }}: {{ price }}", "utf-8")
    (tmp_path / "list.txt").write_text("{% for item in items %}{% include 'item.txt' %}{% endfor %}", "utf-8")
    return jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path), undefined=jinja2.StrictUndefined)


def test_rendered(environment):
    assert environment.get_template("item.txt").render(name="bread", price=3) == "BREAD: 3"


def test_strict(environment):
    with pytest.raises(jinja2.UndefinedError):
        environment.get_template("item.txt").render(name="bread")


def test_missing(environment):
    with pytest.raises(jinja2.TemplateNotFound):
        environment.get_template("none.txt")


def test_listed(environment):
    assert environment.list_templates() == ["item.txt", "list.txt"]


def test_sorted():
    assert jinja2.Template("{{ prices|sort|join(' ') }}").render(prices=[3, 2]) == "2 3"

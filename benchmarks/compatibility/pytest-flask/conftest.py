import pytest
from flask import Flask, jsonify, session


@pytest.fixture
def app():
    app = Flask("shop")
    app.secret_key = "for tests"

    @app.get("/price/<name>")
    def price(name):
        return jsonify({name: 3})

    @app.post("/visit")
    def visit():
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    return app

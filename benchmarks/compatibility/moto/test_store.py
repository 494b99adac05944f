import boto3
import pytest
from moto import mock_aws


@pytest.fixture
def store(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        store = boto3.client("s3", region_name="us-east-1")
        store.create_bucket(Bucket="shop")
        yield store


def test_put(store):
    store.put_object(Bucket="shop", Key="bread", Body=b"3")
    assert store.get_object(Bucket="shop", Key="bread")["Body"].read() == b"3"


def test_empty(store):
    assert "Contents" not in store.list_objects_v2(Bucket="shop")


def test_list(store):
    for key in ("b", "a"):
        store.put_object(Bucket="shop", Key=key, Body=b"")
    assert [item["Key"] for item in store.list_objects_v2(Bucket="shop")["Contents"]] == ["a", "b"]


def test_delete(store):
    store.put_object(Bucket="shop", Key="bread", Body=b"3")
    store.delete_object(Bucket="shop", Key="bread")
    with pytest.raises(store.exceptions.NoSuchKey):
        store.get_object(Bucket="shop", Key="bread")


def test_buckets(store):
    assert [bucket["Name"] for bucket in store.list_buckets()["Buckets"]] == ["shop"]

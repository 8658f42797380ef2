"""What the layer keeps of botocore's data says the same as all of it."""

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.session import Session
from slim_botocore import slim

SERVICES = ("dynamodb", "kms", "secretsmanager")
WHOLE = Path(botocore.__file__).parent / "data"


@pytest.fixture(scope="module")
def slimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("botocore") / "data"
    data.mkdir()
    for path in WHOLE.iterdir():
        if path.name in (*SERVICES, "sqs"):
            shutil.copytree(path, data / path.name)
        elif path.is_file():
            shutil.copy(path, data)
    slim(data, services=set(SERVICES))
    return data


def session(data: Path) -> Session:
    made = Session()
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    made.register_component("data_loader", loader)
    return made


@pytest.fixture(scope="module")
def both(slimmed: Path) -> tuple[Session, Session]:
    return session(slimmed), session(WHOLE)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_called_at_the_same_address_in_every_region(
    both: tuple[Session, Session], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    partitions = both[1].get_available_partitions()
    regions = {r for p in partitions for r in both[1].get_available_regions(service, p)}
    assert {"us-east-1", "cn-north-1", "us-gov-west-1"} <= regions
    for region in sorted(regions):
        slim_one, whole_one = (address(each, service, region) for each in both)
        assert slim_one == whole_one


def address(aws: Session, service: str, region: str) -> tuple[str, str]:
    client = aws.create_client(
        service, region_name=region, aws_access_key_id="a", aws_secret_access_key="b"
    )
    return client.meta.endpoint_url, client.meta.partition


@pytest.mark.parametrize("service", SERVICES)
def test_every_call_is_written_and_read_in_the_same_shape(
    both: tuple[Session, Session], service: str
) -> None:
    slim_one, whole_one = (each.get_service_model(service) for each in both)
    assert list(slim_one.operation_names) == list(whole_one.operation_names)
    assert list(described(slim_one)) == list(described(whole_one))
    assert slim_one.metadata == whole_one.metadata


def described(model: ServiceModel) -> Iterator[tuple[str, Any]]:
    for name in model.operation_names:
        operation = model.operation_model(name)
        yield name, (operation.http, [error.name for error in operation.error_shapes])
        for shape in (operation.input_shape, operation.output_shape):
            yield name, shape and shape.name
    for name in model.shape_names:
        shape = model.shape_for(name)
        members = {key: value.name for key, value in getattr(shape, "members", {}).items()}
        yield name, (shape.type_name, shape.serialization, shape.metadata, members)


def test_what_a_member_is_called_is_no_documentation(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text('{"partitions": []}')
    packed = tmp_path / "kms" / "service-2.json.gz"
    packed.parent.mkdir()
    shape = b'{"members": {"documentation": {"shape": "S", "documentation": "Says what."}}}'
    packed.write_bytes(gzip.compress(shape))
    slim(tmp_path, services={"kms"})
    assert (packed.parent / "service-2.json").read_text() == (
        '{"members":{"documentation":{"shape":"S"}}}'
    )


def test_little_is_left_to_be_read_at_each_cold_start(slimmed: Path) -> None:
    size = sum(path.stat().st_size for path in slimmed.rglob("*.json"))
    assert not (slimmed / "sqs").exists()
    assert size < 500_000

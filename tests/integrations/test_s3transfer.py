"""boto3's s3transfer on our executors, against moto's server on 127.0.0.1."""

import gc
import io
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import antspy
import pytest
from support import Gate, library

boto3 = library("boto3")
config = library("botocore.config")
exceptions = library("botocore.exceptions")
transfer = library("s3transfer.manager")
moto = library("moto.server")

PART = 5 * 1024 * 1024
IN_PARTS = transfer.TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)


class Executor(antspy.ThreadPoolExecutor):
    """Our executor, and a list of all that s3transfer has made of it."""

    made: ClassVar[list["Executor"]] = []

    def __init__(self, max_workers: int | None = None) -> None:
        super().__init__(max_workers=max_workers, thread_name_prefix="ant")
        self.made.append(self)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where a server listens that answers as S3 does."""
    server = moto.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of the server, in which there is a bucket `ants`."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    Executor.made.clear()
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config.Config(s3={"addressing_style": "path"}, max_pool_connections=10),
    )
    client.create_bucket(Bucket="ants")
    yield client
    client.close()
    del client
    gc.collect()


manager = partial(transfer.TransferManager, executor_cls=Executor)


def content(size: int) -> bytes:
    return bytes(range(256)) * (size // 256)


def test_parts_go_up_and_down_and_no_worker_is_left(s3: Any, tmp_path: Path) -> None:
    sent, got = tmp_path / "sent", tmp_path / "got"
    sent.write_bytes(content(3 * PART + 1024))
    with manager(s3, config=IN_PARTS) as both:
        both.upload(str(sent), "ants", "colony").result()
        both.download("ants", "colony", str(got)).result()
        assert s3.head_object(Bucket="ants", Key="colony", PartNumber=1)["PartsCount"] == 4
    assert got.read_bytes() == sent.read_bytes()
    # One executor each for requests, for submitting and for I/O; all of them have worked, and ended.
    assert len(Executor.made) == 3
    assert all(executor.stats().completed for executor in Executor.made)
    assert all(executor.closed and executor.running == 0 for executor in Executor.made)


def test_more_files_than_workers(s3: Any) -> None:
    files = {f"ant {number}": b"%d" % number for number in range(60)}
    got = {key: io.BytesIO() for key in files}
    with manager(s3, config=transfer.TransferConfig(max_request_concurrency=3)) as both:
        for upload in [both.upload(io.BytesIO(text), "ants", key) for key, text in files.items()]:
            upload.result()
        for download in [both.download("ants", key, got[key]) for key in files]:
            download.result()
    assert {key: file.getvalue() for key, file in got.items()} == files
    assert Executor.made[0]._max_workers == 3
    assert Executor.made[0].stats().workers_started <= 3


def test_progress_is_told_by_the_workers(s3: Any) -> None:
    told: list[tuple[int, str]] = []

    class Progress(library("s3transfer.subscribers").BaseSubscriber):  # type: ignore[misc]  # no types
        def on_progress(self, future: Any, bytes_transferred: int, **kwargs: Any) -> None:
            told.append((bytes_transferred, threading.current_thread().name))

    with manager(s3, config=IN_PARTS) as both:
        both.upload(io.BytesIO(content(2 * PART)), "ants", "colony", subscribers=[Progress()]).result()
    assert sum(count for count, _ in told) == 2 * PART
    assert {name.split("_")[0] for _, name in told} == {"ant"}


def test_boto3s_own_transfers_take_such_a_manager(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "sent").write_bytes(b"an ant")
    s3_transfer = library("boto3.s3.transfer")
    with s3_transfer.S3Transfer(manager=manager(s3)) as own:
        own.upload_file(str(tmp_path / "sent"), "ants", "ant")
        own.download_file("ants", "ant", str(tmp_path / "got"))
    assert (tmp_path / "got").read_bytes() == b"an ant"


def test_an_error_is_raised_and_the_next_transfer_runs(s3: Any) -> None:
    with manager(s3) as both:
        with pytest.raises(exceptions.ClientError, match="404"):
            both.download("ants", "nobody", io.BytesIO()).result()
        both.upload(io.BytesIO(b"an ant"), "ants", "ant").result()


def test_a_cancelled_transfer_ends_and_so_do_the_workers(s3: Any, gate: Gate) -> None:
    class Blocking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            gate()
            return super().read(size)

    both = manager(s3, config=IN_PARTS)
    upload = both.upload(Blocking(content(2 * PART)), "ants", "colony")
    gate.wait_entered()
    upload.cancel()
    gate.open()
    with pytest.raises(transfer.CancelledError):
        upload.result()
    both.shutdown(cancel=True)
    assert all(executor.running == 0 for executor in Executor.made)


def test_the_old_interface_takes_it_too(s3: Any, tmp_path: Path) -> None:
    old = library("s3transfer")
    path = tmp_path / "sent"
    path.write_bytes(content(2 * PART))
    old_config = old.TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
    uploader = old.MultipartUploader(s3, old_config, old.OSUtils(), executor_cls=Executor)
    uploader.upload_file(str(path), "ants", "colony", None, {})
    assert Executor.made[0].running == 0
    assert s3.head_object(Bucket="ants", Key="colony")["ContentLength"] == 2 * PART

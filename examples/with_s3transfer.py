"""boto3's s3transfer: an upload and a download in parts, on antspy executors."""

import io
import logging
import os

import antspy
import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer
from s3transfer.manager import TransferConfig, TransferManager

logging.getLogger("werkzeug").setLevel("ERROR")
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)  # in place of the real S3
server.start()
host, port = server.get_host_and_port()
s3 = boto3.client(
    "s3",
    endpoint_url=f"http://{host}:{port}",
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
    config=Config(s3={"addressing_style": "path"}, max_pool_connections=10),
)
s3.create_bucket(Bucket="ants")
sent = os.urandom(12 * 1024 * 1024)
received = io.BytesIO()
in_parts = TransferConfig(multipart_threshold=5 * 1024 * 1024, multipart_chunksize=5 * 1024 * 1024)
with TransferManager(s3, config=in_parts, executor_cls=antspy.ThreadPoolExecutor) as manager:
    manager.upload(io.BytesIO(sent), "ants", "colony").result()
    manager.download("ants", "colony", received).result()
server.stop()
print(len(received.getvalue()), "bytes")
assert received.getvalue() == sent

"""What the documents on Coze's key say is what the code does, and their commands work."""

from __future__ import annotations

import base64
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import boto3
import pytest
from coze_sts.coze.app_key import parse_app
from coze_sts.coze.assertion import ASSERTION_SECONDS
from coze_sts.coze.signer import CURES, KmsSigner
from coze_sts.stored_secret import KEEP_SECONDS, TTL_SECONDS
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)

from tests.contract.markdown import ROOT, Document
from tests.local import template

ROTATION, KMS = Document("docs/key-rotation.md"), Document("docs/kms.md")
BOTH = [Document(name) for name in ("docs/key-rotation.md", "docs/key-rotation.zh-CN.md")]
OUTPUTS = template.outputs(region="eu-west-1")
COMMANDS = [
    line
    for document in (ROTATION, KMS)
    for _, block in document.blocks
    for line in block.splitlines()
    if line.startswith("aws ")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_options_that_aws_knows(command: str) -> None:
    words = shlex.split(re.split(r" [|>] ", command)[0])
    client = boto3.client(words[1], region_name="eu-west-1")  # type: ignore[call-overload]
    operation = "".join(part.capitalize() for part in words[2].split("-"))
    members = client.meta.service_model.operation_model(operation).input_shape.members
    known = {name.lower() for name in members} | {"region", "query", "output"}
    options = {word[2:].replace("-", "") for word in words if word.startswith("--")}
    assert options <= known


def test_the_commands_are_shown_as_the_outputs_have_them() -> None:
    outputs = [
        OUTPUTS[name]
        .replace("${CozeSecret}", "SECRET")
        .replace("${KeyRotationFunction.Arn}", "FUNCTION")
        for name in ("StageKeyCommand", "RotateKeyCommand")
    ]
    assert ROTATION.block("sh", "STAGED").splitlines() == outputs


@pytest.mark.parametrize("document", BOTH, ids=str)
def test_the_old_key_stays_as_long_as_something_may_sign_with_it(document: Document) -> None:
    rows = next(table for table in document.tables if "assertion" in table[1][0])
    told = [int(re.findall(r"\d+", row[1])[0]) for row in rows]
    assert told == [TTL_SECONDS / 60, ASSERTION_SECONDS / 60, KEEP_SECONDS / 3600]
    assert f"{TTL_SECONDS / 60 / 2}" in rows[0][0]
    assert TTL_SECONDS + ASSERTION_SECONDS < 20 * 60
    assert KEEP_SECONDS == 24 * 3600, "a day"


@pytest.mark.parametrize("document", BOTH, ids=str)
def test_each_refusal_that_is_listed_is_one_that_is_logged(document: Document) -> None:
    package = ROOT / "layers" / "coze_sts" / "coze_sts"
    sources = [package / "key_rotation.py", package / "coze" / "answer.py"]
    source = " ".join(re.sub(r'"\s+f?"', "", path.read_text()) for path in sources)
    told = document.table("No key is staged")
    assert len(told) == 5
    assert [words for words in told if words not in source] == []


def test_each_code_of_kms_that_has_a_cure_is_listed() -> None:
    assert KMS.table("AccessDeniedException").keys() == CURES.keys()


def test_the_file_that_is_shown_is_taken_where_kms_signs() -> None:
    text = KMS.block("json")
    app = parse_app(text, kms=pytest.fail)
    assert isinstance(app.signer, KmsSigner)
    assert app.signer.key_arn == json.loads(text)["signing_key_arn"]


def test_what_the_commands_wrap_kms_can_unwrap(private_pem: str, tmp_path: Path) -> None:
    """As RSA_AES_KEY_WRAP_SHA_256 says, done here by another library than the commands'."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    wrapping = generate_private_key(public_exponent=65537, key_size=4096)
    public = wrapping.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "wrapping_key.der").write_bytes(public)
    (tmp_path / "coze_oauth_config.json").write_text(json.dumps({"private_key": private_pem}))
    for block in (KMS.block("sh", "python3 -c"), KMS.block("sh", "umask")):
        subprocess.run(["sh", "-ec", block], cwd=tmp_path, check=True, timeout=60)
    material = (tmp_path / "key_material.bin").read_bytes()
    wrapped_aes_key, wrapped_key = material[:512], material[512:]
    oaep = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None)
    key = load_der_private_key(
        aes_key_unwrap_with_padding(wrapping.decrypt(wrapped_aes_key, oaep), wrapped_key),
        password=None,
    )
    assert isinstance(key, RSAPrivateKey)
    _check_digests(tmp_path, key)


def _check_digests(folder: Path, key: RSAPrivateKey) -> None:
    """The two lines of step 6, the first of them from where AWS's answer begins."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    kms, own = KMS.block("sh", "get-public-key").splitlines()
    of_kms = kms.split(" | ", 1)[1]
    said = [
        subprocess.run(
            ["sh", "-ec", command],
            cwd=folder,
            input=sent,
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for command, sent in ((of_kms, base64.b64encode(public)), (own, b""))
    ]
    assert said[0] == said[1] != b""

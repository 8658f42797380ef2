"""A made-up OAuth app, in the shape of the file that Coze's console hands out."""

import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def demo_config(url: str, *, client_id: str = "1234567890123") -> tuple[dict[str, str], str]:
    """A coze_oauth_config.json for the stand-in at ``url``, with a new key; and its public PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public = key.public_key()
    public_pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    public_der = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    fingerprint = base64.urlsafe_b64encode(hashlib.sha256(public_der).digest()).rstrip(b"=")
    config = {
        "client_type": "jwt",
        "client_id": client_id,
        "coze_www_base": url,
        "coze_api_base": url,
        "private_key": private_pem,
        "public_key_id": fingerprint.decode(),
    }
    return config, public_pem

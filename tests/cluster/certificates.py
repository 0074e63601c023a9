"""Certificates and kubeconfigs of a throw-away cluster, by openssl."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

DAYS = "30"


class Authority:
    """A certificate authority in `directory`, which signs what the cluster's programs know each other by."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.certificate = directory / "ca.crt"
        self.key = directory / "ca.key"
        _openssl(
            *("req", "-x509", *_NEW_KEY, "-keyout", self.key, "-out", self.certificate),
            *("-days", DAYS, "-subj", "/CN=kubernetes-ca"),
        )

    def sign(self, name: str, subject: str, alternative_names: Sequence[str]) -> tuple[Path, Path]:
        """Certificate and key for servers and clients, as `<name>.crt` and `<name>.key`."""
        certificate, key = self.directory / f"{name}.crt", self.directory / f"{name}.key"
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={','.join(alternative_names)}\nextendedKeyUsage=serverAuth,clientAuth\n")
        _openssl("req", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", subject)
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial"),
            *("-days", DAYS, "-out", certificate, "-extfile", extensions),
        )
        return certificate, key

    def service_account_key(self) -> tuple[Path, Path]:
        """Private and public RSA key that service account tokens are signed with."""
        private, public = self.directory / "sa.key", self.directory / "sa.pub"
        _openssl("genrsa", "-out", private, "2048")
        _openssl("rsa", "-in", private, "-pubout", "-out", public)
        return private, public

    def kubeconfig(self, path: Path, server: str, certificate: Path, key: Path) -> Path:
        """Writes the kubeconfig (as JSON, which is YAML) of one client."""
        cluster = {"server": server, "certificate-authority": str(self.certificate)}
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        }
        path.write_text(json.dumps(content, indent=2))
        return path


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

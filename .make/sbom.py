# SPDX-License-Identifier: MIT
"""sbom.py NAME VERSION ZIP <COMPONENTS: prints a CycloneDX bill of materials of the zip.

COMPONENTS are lines of Debian package and version, of everything that is linked into the binary.
The same input gives the same bytes.
"""

import hashlib
import json
import sys
import uuid
from pathlib import Path
from typing import Any

# As SPDX names them; a package that is not here has no licence that anybody has looked at.
LICENCES = {
    "c-ares": "MIT",
    "ca-certificates": "MPL-2.0",
    "cjson": "MIT",
    "curl": "curl",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "libdeflate": "MIT",
    "libmicrohttpd": "LGPL-2.1-or-later",
    "openssl": "Apache-2.0",
}
# What gcc links with, by the package that it comes in; cross compilers have packages of their own.
TOOLCHAIN = {"libc6-dev": "glibc", "libgcc-12-dev": "gcc-12"}
NOT_CODE = {"ca-certificates": "data"}


def component(line: str) -> dict[str, Any]:
    package, version = line.split()
    native = package.removesuffix("-cross").removesuffix("-arm64").removesuffix("-amd64")
    name = TOOLCHAIN.get(native, package)
    return {
        "type": NOT_CODE.get(name, "library"),
        "bom-ref": name,
        "name": name,
        "version": version,
        "licenses": [{"expression": LICENCES[name]}],
        "purl": f"pkg:deb/debian/{package}@{version}?distro=bookworm",
    }


def main(name: str, version: str, archive: Path) -> None:
    components = sorted(map(component, sys.stdin), key=lambda item: item["name"])
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": name,
                "name": name,
                "version": version,
                "licenses": [{"expression": "MIT"}],
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "properties": [{"name": "file", "value": archive.name}],
            }
        },
        "components": components,
        "dependencies": [{"ref": name, "dependsOn": [item["name"] for item in components]}],
    }
    print(json.dumps(bill, indent=2))


main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

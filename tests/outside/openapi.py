"""The OpenAPI document, judged by openapi-spec-validator and by @redocly/cli."""

import json
import os
import subprocess
import sys
import urllib.request

from openapi_spec_validator import OpenAPIV31SpecValidator

from service import Service

with Service() as service:
    with urllib.request.urlopen(service.url + "/openapi.json") as reply:
        text = reply.read().decode()
    document = json.loads(text)
    errors = list(OpenAPIV31SpecValidator(document).iter_errors())
    for error in errors:
        print("openapi-spec-validator:", error.message, list(error.absolute_path))
    path = os.path.join(service.directory.name, "openapi.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    here = os.path.dirname(__file__)
    redocly = os.path.join(os.environ["OUTSIDE_NODE"], "node_modules", ".bin", "redocly")
    lint = subprocess.run([redocly, "lint", path, "--config", os.path.join(here, "redocly.yaml"), "--format", "stylish"], env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"})
    if errors or lint.returncode:
        sys.exit("the OpenAPI document is not accepted")
    print(f"{len(document['paths'])} paths, {len(document['webhooks'])} webhooks, accepted by both")

"""Four generators make clients of the OpenAPI document; each is type-checked, and runs the guide's story: register, deposit, order, code."""

import os
import subprocess
import sys
import tempfile

from service import Service

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.join(os.environ["OUTSIDE_NODE"], "node_modules", ".bin")
PYTHON_BIN = os.path.dirname(sys.executable)
ENVIRONMENT = {**os.environ, "PATH": PYTHON_BIN + os.pathsep + os.environ["PATH"]}


def run(*command, cwd, **more):
    """A step of a generator or a compiler; whatever it says is shown where it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=ENVIRONMENT, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def typescript(work, url):
    """openapi-typescript's types with openapi-fetch, and @hey-api/openapi-ts with its own client, compiled strictly together."""
    os.symlink(os.path.join(os.environ["OUTSIDE_NODE"], "node_modules"), os.path.join(work, "node_modules"))
    run(os.path.join(BIN, "openapi-typescript"), "openapi.json", "-o", "schema.ts", cwd=work)
    run(os.path.join(BIN, "openapi-ts"), "-i", "openapi.json", "-o", "hey", cwd=work)
    for name in ["clients_fetch.ts", "clients_hey.ts"]:
        with open(os.path.join(HERE, name), encoding="utf-8") as source, open(os.path.join(work, name), "w", encoding="utf-8") as target:
            target.write(source.read())
    with open(os.path.join(work, "package.json"), "w", encoding="utf-8") as file:
        file.write('{ "type": "module" }')
    options = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "preserve", "--moduleResolution", "bundler", "--outDir", "built"]
    run(os.path.join(BIN, "tsc"), *options, "clients_fetch.ts", "clients_hey.ts", cwd=work)
    for name in ["clients_fetch", "clients_hey"]:
        run(os.path.join(BIN, "esbuild"), f"built/{name}.js", "--bundle", "--platform=node", "--format=esm", f"--outfile={name}.mjs", "--log-level=error", cwd=work)
        print(run("node", f"{name}.mjs", url, cwd=work).strip())


def python(work, url):
    """openapi-python-client's package under mypy, and datamodel-code-generator's models over plain HTTP."""
    said = run(os.path.join(PYTHON_BIN, "openapi-python-client"), "generate", "--path", "openapi.json", "--output-path", "client", "--overwrite", cwd=work)
    missing = [line for line in said.splitlines() if line.startswith("WARNING") and "/qr" not in line]
    if missing:
        sys.exit("openapi-python-client leaves out: " + "; ".join(missing))
    run(
        os.path.join(PYTHON_BIN, "datamodel-codegen"), "--input", "openapi.json", "--input-file-type", "openapi", "--output", "models.py",
        "--output-model-type", "pydantic_v2.BaseModel", "--use-annotated", "--formatters", "builtin", cwd=work,
    )
    for name in ["clients_python.py", "clients_models.py"]:
        with open(os.path.join(HERE, name), encoding="utf-8") as source, open(os.path.join(work, name), "w", encoding="utf-8") as target:
            target.write(source.read())
    checked = {"MYPYPATH": os.path.join(work, "client")}
    ENVIRONMENT.update(checked, PYTHONPATH=os.path.join(work, "client"))
    run(os.path.join(PYTHON_BIN, "mypy"), "--strict", "clients_python.py", "clients_models.py", cwd=work)
    for name in ["clients_python.py", "clients_models.py"]:
        print(run(sys.executable, name, url, cwd=work).strip())


with Service() as service, tempfile.TemporaryDirectory() as work:
    import urllib.request

    with urllib.request.urlopen(service.url + "/api/v1/openapi.json") as reply:
        document = reply.read()
    with open(os.path.join(work, "openapi.json"), "wb") as file:
        file.write(document)
    typescript(work, service.url)
    python(work, service.url)
    service.audit()

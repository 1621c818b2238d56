"""Writes what is made from the OpenAPI document: `generate.py URL|FILE` (a running service, or its openapi.json); with `--check` says what differs."""

import json
import os
import sys
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from generator import bruno, python, typescript  # noqa: E402

# Folders that hold nothing but what is written here: a file there that nobody writes any more goes.
OWN_FOLDERS = ["bruno"]


def read(place):
    if place.startswith(("http://", "https://")):
        with urllib.request.urlopen(place.rstrip("/") + "/openapi.json", timeout=30) as reply:
            return json.load(reply)
    with open(place, encoding="utf-8") as file:
        return json.load(file)


def written(document):
    files = {}
    for writer in (python, typescript, bruno):
        files.update(writer.write(document))
    return files


def standing():
    """What stands in the folders of ours."""
    return {
        os.path.relpath(os.path.join(folder, name), HERE)
        for own in OWN_FOLDERS
        for folder, _, names in os.walk(os.path.join(HERE, own))
        for name in names
    }


def text_of(path):
    try:
        with open(os.path.join(HERE, path), encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def main(place, is_check):
    files = written(read(place))
    stale = sorted(standing() - files.keys())
    changed = sorted(path for path, text in files.items() if text_of(path) != text)
    if is_check:
        for path in changed + stale:
            print(f"clients/{path} is not what the document gives: python3 clients/generate.py URL writes it")
        return 1 if changed or stale else 0
    for path in changed:
        os.makedirs(os.path.dirname(os.path.join(HERE, path)), exist_ok=True)
        with open(os.path.join(HERE, path), "w", encoding="utf-8", newline="") as file:
            file.write(files[path])
    for path in stale:
        os.remove(os.path.join(HERE, path))
    print(f"{len(files)} files, {len(changed)} changed, {len(stale)} removed")
    return 0


if __name__ == "__main__":
    given = [word for word in sys.argv[1:] if word != "--check"]
    if len(given) != 1:
        sys.exit(__doc__)
    sys.exit(main(given[0], "--check" in sys.argv))

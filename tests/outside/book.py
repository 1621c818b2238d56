"""docs as a book: mdBook builds it, each page is listed once, each link between files leads somewhere."""

import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DOCS = os.path.join(ROOT, "docs")


def links(path):
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"```.*?```|`[^`\n]*`", "", file.read(), flags=re.S)
    return [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:|#|/", target)]


pages = {os.path.relpath(path, DOCS) for path in glob.glob(os.path.join(DOCS, "**", "*.md"), recursive=True)} - {"SUMMARY.md"}
listed = links(os.path.join(DOCS, "SUMMARY.md"))
assert sorted(listed) == sorted(pages), f"not listed once: {sorted(pages ^ set(listed)) or listed}"
texts = [os.path.join(DOCS, page) for page in pages] + glob.glob(os.path.join(ROOT, "*.md")) + glob.glob(os.path.join(ROOT, "clients", "*", "README.md"))
lost = [f"{os.path.relpath(text, ROOT)}: {link}" for text in texts for link in links(text) if not os.path.exists(os.path.join(os.path.dirname(text), link))]
assert not lost, lost
mdbook = os.path.join(os.path.dirname(sys.executable), "mdbook")
with tempfile.TemporaryDirectory() as work:
    built = subprocess.run([mdbook, "build", ROOT, "--dest-dir", work], capture_output=True, text=True)
    said = built.stdout + built.stderr
    if built.returncode or re.search(r"\b(WARN|ERROR)\b", said):
        sys.exit(said)
    missing = [page for page in pages if not os.path.exists(os.path.join(work, re.sub(r"README\.md$", "index.md", page).replace(".md", ".html")))]
    assert not missing, missing
    print(f"{len(pages)} pages in the book, {sum(len(links(text)) for text in texts)} links lead somewhere")

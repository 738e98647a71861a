"""A Hugging Face hub on this machine: the part of its HTTP that clients use, with the faults that networks have.

Large files (`lfs`) are sent on to a second server, as the hub sends its readers to a content network.
"""

import contextlib
import dataclasses
import hashlib
import http.server
import json
import pathlib
import re
import sys
import threading
from collections.abc import Callable, Iterator

PARTS = re.compile(r"/(?P<data>datasets/)?(?P<id>[^/]+(?:/[^/]+)?)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclasses.dataclass
class Repository:
    """One commit of one repository; `access` is None, "private" or "gated"."""

    files: dict[str, bytes]
    access: str | None = None
    lfs: set[str] = dataclasses.field(default_factory=set)

    @property
    def commit(self) -> str:
        names = "".join(f"{name} {git_sha1(content)}\n" for name, content in sorted(self.files.items()))
        return hashlib.sha1(names.encode()).hexdigest()

    def etag(self, name: str) -> str:
        content = self.files[name]
        return hashlib.sha256(content).hexdigest() if name in self.lfs else git_sha1(content)


@dataclasses.dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    host: str  # "hub" or "content"


@dataclasses.dataclass
class Fault:
    """Strikes the first `times` requests that fit: method, host and a pattern in the path."""

    pattern: str
    status: int = 0                 # answers so instead
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    cut_after: int | None = None    # closes the connection after so many bytes of the body
    content: bytes | None = None    # sends this instead
    ignore_range: bool = False
    method: str | None = None
    times: int = 1 << 30
    before: Callable[[], None] | None = None  # called first

    def fits(self, request: Request) -> bool:
        return self.times > 0 and self.method in (None, request.method) and bool(re.search(self.pattern, request.path))


class Hub:
    """Serves `models` and `datasets`, ids to repositories; `renamed` ids lead on to others."""

    token = "hf_right"

    def __init__(self):
        self.models: dict[str, Repository] = {}
        self.datasets: dict[str, Repository] = {}
        self.renamed: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        self.address = self.content_address = ""

    def seen(self, pattern: str, method: str | None = None) -> list[Request]:
        with self.lock:
            return [r for r in self.requests if re.search(pattern, r.path) and method in (None, r.method)]

    def fault_of(self, request: Request) -> Fault | None:
        with self.lock:
            self.requests.append(request)
            fault = next((fault for fault in self.faults if fault.fits(request)), None)
            if fault:
                fault.times -= 1
        if fault and fault.before:
            fault.before()
        return fault

    def add_model(self, name: str, folder: pathlib.Path, **options) -> Repository:
        files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        lfs = {file for file in files if file.endswith(".safetensors")}
        self.models[name] = Repository(files, lfs=lfs, **options)
        return self.models[name]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub
    role: str

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self.serve()

    def do_GET(self):
        self.serve()

    def serve(self):
        request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, self.role)
        fault = self.hub.fault_of(request) or Fault("")
        if fault.status:
            return self.answer(fault.status, b"trouble", fault.headers)
        if self.role == "content":
            return self.serve_content(fault)
        renamed = self.renamed_path()
        if renamed:
            return self.answer(307, b"", {"Location": renamed})
        if self.path.startswith("/api/"):
            return self.serve_listing()
        return self.serve_file(fault)

    def renamed_path(self) -> str | None:
        for old, new in self.hub.renamed.items():
            pattern = rf"(/api/models/|/api/datasets/|/datasets/|/){re.escape(old)}(/.*)"
            match = re.fullmatch(pattern, self.path)
            if match:
                return match[1] + new + match[2]
        return None

    def refuse_access(self, repository: Repository | None) -> bool:
        """Answers and returns True where the one who asks may not see the repository."""
        shown = self.headers.get("Authorization")
        right = shown == f"Bearer {self.hub.token}"
        if shown and not right:
            self.answer(401, b"", {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif repository is None or repository.access == "private" and not right:
            status = 404 if right else 401
            self.answer(status, b"", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
        elif repository.access == "gated" and not self.path.startswith("/api/"):
            self.answer(403 if right else 401, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
        else:
            return False
        return True

    def serve_listing(self):
        match = re.fullmatch(r"/api/(models|datasets)/(.+)/revision/([^/?]+)(\?.*)?", self.path)
        if not match:
            return self.answer(404, b"")
        repository = getattr(self.hub, match[1]).get(match[2])
        if self.refuse_access(repository):
            return None
        if match[3] not in ("main", repository.commit):
            return self.answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        listing = {"id": match[2], "sha": repository.commit, "private": False, "tags": [], "downloads": 0,
                   "siblings": [{"rfilename": name} for name in sorted(repository.files)]}
        return self.answer(200, json.dumps(listing).encode(), {"Content-Type": "application/json"})

    def serve_file(self, fault: Fault):
        match = PARTS.fullmatch(self.path.split("?")[0])
        repository = match and (self.hub.datasets if match["data"] else self.hub.models).get(match["id"])
        if self.refuse_access(repository):
            return None
        if match["revision"] not in ("main", repository.commit):
            return self.answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        headers = {"X-Repo-Commit": repository.commit}
        name = match["file"]
        if name not in repository.files:
            return self.answer(404, b"", headers | {"X-Error-Code": "EntryNotFound"})
        etag = repository.etag(name)
        if name in repository.lfs:
            headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(repository.files[name])),
                        "Location": f"{self.hub.content_address}/{etag}?signature=x"}
            return self.answer(302, b"Found", headers)
        return self.send(repository.files[name], headers | {"ETag": f'"{etag}"'}, fault)

    def serve_content(self, fault: Fault):
        wanted = self.path.strip("/").split("?")[0]
        for repository in [*self.hub.models.values(), *self.hub.datasets.values()]:
            for name in repository.lfs:
                if repository.etag(name) == wanted:
                    return self.send(repository.files[name], {"ETag": '"of-the-content-network"'}, fault)
        return self.answer(404, b"")

    def send(self, content: bytes, headers: dict[str, str], fault: Fault):
        if fault.content is not None:
            content = fault.content
        status, begin = 200, 0
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted and not fault.ignore_range:
            begin, status = int(wanted[1]), 206
            if begin >= len(content):
                return self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            headers = headers | {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"}
        return self.answer(status, content[begin:], headers | {"Accept-Ranges": "bytes"}, fault.cut_after)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None, cut_after: int | None = None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body if cut_after is None else body[:cut_after])
        if cut_after is not None:
            self.wfile.flush()
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that went away is part of the tests; other trouble is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving() -> Iterator[Hub]:
    """A hub without repositories, on free ports of this machine; the content network is another host to a client."""
    hub = Hub()
    servers = []
    for role in ("hub", "content"):
        handler = type("RoleHandler", (Handler,), {"hub": hub, "role": role})
        server = Server(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    hub.address = f"http://127.0.0.1:{servers[0].server_port}"
    hub.content_address = f"http://localhost:{servers[1].server_port}"
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()

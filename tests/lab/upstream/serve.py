"""Upstream's servers but the registries, behind one TLS port, told apart by their names:
release pages with their redirects, registry.k8s.io, which only redirects, and a token server
(distribution, docs/spec/auth/token.md). Writes a line for each request to stdout.
Usage: serve.py DIR PORT   DIR holds files/HOST/PATH, server.pem and server.key
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.parse

DIR = sys.argv[1]
# Where the release pages keep their files, and registry.k8s.io its images.
ELSEWHERE = {
    "dl.k8s.io": ("/", "https://cdn.dl.k8s.io/"),
    "github.com": ("/", "https://release-assets.githubusercontent.com/"),
    "registry.k8s.io": ("/v2/", "https://us-west1-docker.pkg.dev/v2/k8s-artifacts-prod/images/"),
}
# Where a URL is signed for GET alone, as assets' were in storage of that kind.
WITHOUT_HEAD = ["release-assets.githubusercontent.com"]


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(scope, service):
    """A JSON Web Token (RFC 7519), which docker-registry checks with its own certificate."""
    kind, name, actions = scope.rsplit(":", 2) if scope.count(":") > 1 else ("", "", "")
    with open(DIR + "/token.der", "rb") as certificate:
        chain = [base64.b64encode(certificate.read()).decode()]
    now = int(time.time())
    claims = {
        "iss": "auth.gcr.io", "aud": service, "sub": "", "jti": str(now), "iat": now, "nbf": now - 10, "exp": now + 300,
        "access": [{"type": kind, "name": name, "actions": actions.split(",")}],
    }
    text = ".".join(encoded(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "RS256", "x5c": chain}, claims))
    sign = ["openssl", "dgst", "-sha256", "-sign", DIR + "/token.key"]
    return text + "." + encoded(subprocess.run(sign, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        host = self.headers["host"].split(":")[0]
        path, _, query = self.path.partition("?")
        if self.command == "HEAD" and host in WITHOUT_HEAD:
            self.answer(403, b"")
        elif host == "auth.gcr.io":
            asked = dict(urllib.parse.parse_qsl(query))
            self.answer(200, json.dumps({"token": token(asked.get("scope", ""), asked["service"])}).encode())
        elif host in ELSEWHERE and path.startswith(ELSEWHERE[host][0]):
            begin, there = ELSEWHERE[host]
            self.answer(307 if host == "registry.k8s.io" else 302, b"", location=there + self.path[len(begin):])
        else:
            self.file(os.path.join(DIR, "files", host, os.path.normpath(path).lstrip("/")))

    def file(self, path):
        if not os.path.isfile(path):
            return self.answer(404, b"<Code>NoSuchKey</Code>")
        with open(path, "rb") as content:
            whole = content.read()
        asked = self.headers.get("range")
        if asked is None:
            return self.answer(200, whole, etag='"%d"' % os.stat(path).st_mtime_ns)
        begin, end = asked[len("bytes="):].split("-")
        begin, end = int(begin), int(end or len(whole) - 1)
        span = "bytes %d-%d/%d" % (begin, end, len(whole))
        return self.answer(206, whole[begin:end + 1], **{"content-range": span})

    def answer(self, status, body, **headers):
        self.send_response_only(status)
        for name, value in {"content-length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        print(self.command, self.headers["host"] + self.path, status, headers.get("content-range", ""), flush=True)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that goes away is none of ours."""


server = Server(("127.0.0.1", int(sys.argv[2])), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(DIR + "/server.pem", DIR + "/server.key")
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()

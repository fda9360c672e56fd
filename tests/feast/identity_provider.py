"""A small OpenID provider: discovery, JWKS, and tokens signed with RS256, for tests.

Prints its port, and serves until its standard input ends.
Clients (any secret but "wrong"): their id is the role in the token; "expired" gets a token that has ended.
POST /rotate makes a new key; GET /counts says how often each path was asked for.
"""
import collections
import json
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc import jwt
from joserfc.jwk import RSAKey

counts = collections.Counter()
key = None


def new_key():
    global key
    key = RSAKey.generate_key(2048)


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        base = f"http://{self.headers['Host']}"
        counts[self.path] += 1
        if self.path == "/.well-known/openid-configuration":
            endpoints = {"token_endpoint": "/token", "authorization_endpoint": "/authorize", "jwks_uri": "/jwks"}
            self.answer(200, {"issuer": base} | {name: base + path for name, path in endpoints.items()})
        elif self.path == "/jwks":
            public = key.as_dict(private=False) | {"use": "sig", "alg": "RS256", "kid": key.thumbprint()}
            self.answer(200, {"keys": [public]})
        elif self.path == "/counts":
            self.answer(200, counts)
        else:
            self.answer(404, {})

    def do_POST(self):
        counts[self.path] += 1
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.path == "/rotate":
            new_key()
            self.answer(200, {})
        elif form.get("client_secret") == "wrong" or "client_secret" not in form:
            self.answer(401, {"error": "invalid_client", "error_description": "no such client"})
        elif form["grant_type"] == "password" and form.get("password") != "of ann":
            self.answer(400, {"error": "invalid_grant"})
        else:
            who, now = form["client_id"], int(time.time())
            ends = now - 3600 if who == "expired" else now + 3600
            claims = {"iss": "test", "sub": who, "preferred_username": who, "iat": now, "exp": ends, "roles": [who]}
            token = jwt.encode({"alg": "RS256", "kid": key.thumbprint()}, claims, key)
            self.answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})


new_key()
server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
